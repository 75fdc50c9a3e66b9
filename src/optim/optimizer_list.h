/* One line for each optimizer: expanded to declarations and to the registry of optim.c. */
TRM_OPTIMIZER(adamw)
TRM_OPTIMIZER(adam)
TRM_OPTIMIZER(sgd)
TRM_OPTIMIZER(rmsprop)
TRM_OPTIMIZER(adagrad)
TRM_OPTIMIZER(lion)
TRM_OPTIMIZER(lamb)
TRM_OPTIMIZER(muon)
