/*
 * Linked into every program built with a sanitizer: plug-ins stay loaded until the end, so that
 * the leak check can name the library a block belongs to, and lsan.supp can tell Open MPI's from ours.
 */
int dlclose(void *handle);
int dlclose(void *handle) {
  (void)handle;
  return 0;
}
