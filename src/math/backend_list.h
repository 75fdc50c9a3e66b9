/* One line for each back end of matrix products: expanded to declarations and to the registry of
 * gemm.c. */
TRM_BACKEND(native)
TRM_BACKEND(openblas)
TRM_BACKEND(reference)
