/* One line for each kind of data set: expanded to declarations and to the list that finds them. */
TRM_DATA_KIND(text)
TRM_DATA_KIND(nodes)
TRM_DATA_KIND(sets)
TRM_DATA_KIND(interactions)
TRM_DATA_KIND(shop)
TRM_DATA_KIND(samples)
