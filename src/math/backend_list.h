/* One line for each matrix library, the default first: expanded to declarations and to the registry of
 * gemm.c. */
TRM_BACKEND(openblas)
TRM_BACKEND(reference)
