/* One line for each way of preparing: expanded to declarations and to the list that commands and pages
 * of help are made from. */
APP_PREPARE(text)
APP_PREPARE(debian)
APP_PREPARE(debian_graph)
APP_PREPARE(synth)
APP_PREPARE(synth_graph)
APP_PREPARE(synth_pairs)
APP_PREPARE(graph)
APP_PREPARE(graphs)
APP_PREPARE(interactions)
APP_PREPARE(labelled)
APP_PREPARE(pairs)
APP_PREPARE(table)
