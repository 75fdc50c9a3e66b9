/* One line for each all-reduce: expanded to declarations and to the registry of reducer.c. */
TRM_ENGINE(ring)
TRM_ENGINE(canonical)
