/* One line for each model family: expanded to declarations and to the registry of model.c. */
TRM_MODEL(decoder)
TRM_MODEL(gcn)
TRM_MODEL(sage)
TRM_MODEL(gat)
TRM_MODEL(gin)
TRM_MODEL(mlp)
TRM_MODEL(lightgcn)
