#include "trireme/core/build.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/core/hash.h"

/* Names in notes are padded to this. */
static size_t padded(size_t n) {
  return (n + 3) / 4 * 4;
}

static void write_hex(char id[TRM_BUILD_ID_BYTES], const unsigned char *bytes, size_t n) {
  static const char digits[] = "0123456789abcdef";
  const size_t most = (TRM_BUILD_ID_BYTES - 1) / 2;
  if (n > most) n = most;
  for (size_t i = 0; i < n; ++i) {
    id[2 * i] = digits[bytes[i] >> 4];
    id[2 * i + 1] = digits[bytes[i] & 15];
  }
  id[2 * n] = '\0';
}

/* Looks for GNU's build id in a segment of notes. */
static bool find_note(const unsigned char *notes, size_t bytes, char id[TRM_BUILD_ID_BYTES]) {
  for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= bytes;) {
    ElfW(Nhdr) note;
    memcpy(&note, notes + at, sizeof note);
    const size_t name = at + sizeof note, content = name + padded(note.n_namesz);
    if (content + note.n_descsz > bytes) return false;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        memcmp(notes + name, "GNU", 4) == 0) {
      write_hex(id, notes + content, note.n_descsz);
      return true;
    }
    at = content + padded(note.n_descsz);
  }
  return false;
}

/* Whether the program or library has this function loaded. */
static bool holds(const struct dl_phdr_info *object, uintptr_t address) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) *p = &object->dlpi_phdr[i];
    const uintptr_t from = object->dlpi_addr + p->p_vaddr;
    if (p->p_type == PT_LOAD && address >= from && address - from < p->p_memsz) return true;
  }
  return false;
}

static int look_into(struct dl_phdr_info *object, size_t size, void *id) {
  (void)size;
  if (!holds(object, (uintptr_t)&trm_build_id)) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) *p = &object->dlpi_phdr[i];
    if (p->p_type != PT_NOTE) continue;
    const unsigned char *notes = (const unsigned char *)(object->dlpi_addr + p->p_vaddr);
    if (find_note(notes, p->p_memsz, id)) return 1;
  }
  return 1; /* it is the one, but has none */
}

static void hash_program(char id[TRM_BUILD_ID_BYTES]) {
  struct stat info;
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  if (fstat(file, &info) == 0 && info.st_size > 0) {
    void *content = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (content != MAP_FAILED) {
      (void)snprintf(id, TRM_BUILD_ID_BYTES, "%016" PRIx64,
                     trm_hash64(content, (size_t)info.st_size, 0));
      (void)munmap(content, (size_t)info.st_size);
    }
  }
  (void)close(file);
}

void trm_build_id(char id[TRM_BUILD_ID_BYTES]) {
  id[0] = '\0';
  (void)dl_iterate_phdr(look_into, id);
  if (id[0] == '\0') hash_program(id);
  if (id[0] == '\0') (void)snprintf(id, TRM_BUILD_ID_BYTES, "unknown");
}
