/** What the first lines of files of predictions say behind the name of the unit; by them such files are
 *  known again (trm_predictions_made). */
#ifndef TRIREME_TRAIN_PREDICTION_COLUMNS_H
#define TRIREME_TRAIN_PREDICTION_COLUMNS_H

#define TRM_CLASS_COLUMNS "\tclass\tprobability\tlabel"
#define TRM_CLASS_SET_COLUMNS "\tclasses\tprobabilities\tlabels"
#define TRM_NUMBER_COLUMNS "\tprediction\ttarget"
#define TRM_ITEM_COLUMNS "\titem\tscore"
#define TRM_PRODUCT_COLUMNS "\tproduct\tknown\t"

#endif
