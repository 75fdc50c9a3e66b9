/* One line for each way of batching: expanded to declarations and to the list that finds them. */
TRM_BATCHING(neighbor)
TRM_BATCHING(cluster)
TRM_BATCHING(set)
TRM_BATCHING(pairs)
