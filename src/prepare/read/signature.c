/** Files that are no text, by their first bytes: what they are, and what to do. */
#include <string.h>
#include <strings.h>

#include "bytes_internal.h"

typedef struct signature {
  const char *bytes;
  int n, at;
  const char *is, *remedy;
} signature;

#define UNPACK(program) "unpack it first (" program ")"
#define SPARSE "write it as text: scipy.io.mmwrite('x.mtx', scipy.sparse.load_npz('x.npz'))"
#define EXPORT "write its tables as text (CSV or TSV) with the program it comes from"

enum { ZIP_NAME = 30 }; /* where an archive has the name of its first file */

static const signature signatures[] = {
    {"[Content_Types].xml", 19, ZIP_NAME, "a document of an office program (.xlsx, .docx)",
     "save a table as CSV, a text as plain text"},
    {"mimetypeapplication/", 20, ZIP_NAME, "a document or a book (.ods, .odt, .epub)",
     "save a table as CSV, a text as plain text"},
    {"indices.npy", 11, ZIP_NAME, "a sparse matrix of SciPy (.npz)", SPARSE},
    {"row.npy", 7, ZIP_NAME, "a sparse matrix of SciPy (.npz)", SPARSE},
    {"\x1F\x8B", 2, 0, "packed by gzip twice", UNPACK("gunzip")},
    {"PK\5\6", 4, 0, "an empty zip archive", "download or make it again"},
    {"BZh", 3, 0, "packed by bzip2", UNPACK("bunzip2")},
    {"\xFD"
     "7zXZ",
     5, 0, "packed by xz", UNPACK("unxz")},
    {"\x28\xB5\x2F\xFD", 4, 0, "packed by zstd", UNPACK("unzstd")},
    {"\x04\x22\x4D\x18", 4, 0, "packed by lz4", UNPACK("unlz4")},
    {"\x1F\x9D", 2, 0, "packed by compress (.Z)", UNPACK("uncompress, or gzip -d")},
    {"7z\xBC\xAF\x27\x1C", 6, 0, "a 7z archive", UNPACK("7z x")},
    {"ustar", 5, 257, "a tar archive", UNPACK("tar xf")},
    {"\x89HDF\r\n", 6, 0, "an HDF5 file",
     "a data set is used as it is (trireme inspect), another's arrays: data/FORMAT.md"},
    {"CDF\1", 4, 0, "a NetCDF file", EXPORT},
    {"\x93NUMPY", 6, 0, "a NumPy array (.npy)",
     "write it as text: numpy.savetxt('x.csv', numpy.load('x.npy'), '%.9g', ',')"},
    {"Obj\1", 4, 0, "an Avro file", EXPORT},
    {"MATLAB 5.0", 10, 0, "a MATLAB file (.mat)",
     "write its tables as text: writematrix(x, 'x.csv')"},
    {"MATLAB 7.3 MAT-file", 19, 0, "a MATLAB file (.mat)",
     "write its tables as text: writematrix(x, 'x.csv')"},
    {"RDX3\n", 5, 0, "a file of R (.RData)", "write its tables as text: write.csv(x, 'x.csv')"},
    {"RDX2\n", 5, 0, "a file of R (.RData)", "write its tables as text: write.csv(x, 'x.csv')"},
    {"X\n\0\0\0", 5, 0, "a file of R (.rds)",
     "write its table as text: write.csv(readRDS('x.rds'), 'x.csv')"},
    {"<stata_dta>", 11, 0, "a Stata file (.dta)",
     "write it as text: pandas.read_stata('x').to_csv('x.csv', index=False)"},
    {"$FL2", 4, 0, "an SPSS file (.sav)", EXPORT},
    {"II*\0", 4, 0, "a TIFF image",
     "images are prepared by trireme prepare images, as PNG or JPEG"},
    {"RIFF", 4, 0, "a sound, a film or a WebP image", "is it the right file?"},
    {"GGUF", 4, 0, "the weights of a language model (GGUF)", "is it the right file?"},
    {"\xD0\xCF\x11\xE0", 4, 0, "a file of an old office program (.xls)", "save it as CSV"},
    {"SQLite format 3", 15, 0, "an SQLite database",
     "write its table as text: sqlite3 -csv -header x.db 'select * from t'"},
    {"%PDF-", 5, 0, "a PDF document", "save its text or its table as a text file"},
    {"\x89PNG", 4, 0, "a PNG image", "images are prepared by trireme prepare images"},
    {"\xFF\xD8\xFF", 3, 0, "a JPEG image", "images are prepared by trireme prepare images"},
    {"GIF8", 4, 0, "a GIF image",
     "images are prepared by trireme prepare images, from PNG or JPEG"},
    {"\x7F"
     "ELF",
     4, 0, "a program", "is it the right file?"},
    {"version https://git-lfs.github.com/spec", 39, 0, "a pointer of Git LFS, not the file itself",
     "fetch the file (git lfs pull)"},
    {"{\\rtf", 5, 0, "an RTF document", "save it as plain text"},
};

/* A text may begin so, too ("ORCID"): these go on with what no text has. */
static const signature lettered[] = {
    {"LZIP", 4, 0, "packed by lzip", UNPACK("lzip -d")},
    {"Rar!", 4, 0, "a rar archive", UNPACK("unrar x")},
    {"PAR1", 4, 0, "a Parquet file",
     "write it as text: pandas.read_parquet('x').to_csv('x.csv', index=False)"},
    {"ARROW1", 6, 0, "an Arrow (Feather) file",
     "write it as text: pandas.read_feather('x').to_csv('x.csv', index=False)"},
    {"ORC", 3, 0, "an ORC file", EXPORT},
};

/* Text, but of another sort than tables and sentences; more of it is none of a table: documents.c. */
static const signature pages[] = {
    {"<!DOCTYPE html", 14, 0, "a web page", "a download has gone wrong; fetch the file itself"},
    {"<html", 5, 0, "a web page", "a download has gone wrong; fetch the file itself"},
};

/* A pickle of protocol 2 and later begins with its number and ends with a point; of protocol 0 and 1 it
 * has no sure mark. */
static bool is_pickle(const char *head, int64_t bytes) {
  return bytes > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5 &&
         memchr("(c]}KJX\x8c\x95N)q", head[2], 12) != NULL;
}

static trm_status fail(const char *path, const char *is, const char *remedy) {
  return trm_fail(TRM_ERR_DATA, "%s: is %s; %s", path, is, remedy);
}

/* Whether the first bytes have a control character that ends no line and parts no fields. */
static bool is_binary(const char *head, int64_t bytes) {
  enum { MOST = 256 };
  for (int64_t i = 0; i < bytes && i < MOST; ++i) {
    const unsigned char c = (unsigned char)head[i];
    if (c == 0x7F || (c < 0x20 && !(c >= '\t' && c <= '\r'))) return true;
  }
  return false;
}

/* An archive of zip whose first file's name ends so. */
static bool zip_has(const char *head, int64_t bytes, const char *ending) {
  if (bytes < ZIP_NAME || memcmp(head, "PK\3\4", 4) != 0) return false;
  const int64_t n = (unsigned char)head[26] + 256 * (unsigned char)head[27];
  const int64_t length = (int64_t)strlen(ending);
  return n >= length && ZIP_NAME + n <= bytes &&
         memcmp(head + ZIP_NAME + n - length, ending, (size_t)length) == 0;
}

static trm_status check_zip(const char *path, const char *head, int64_t bytes) {
  if (zip_has(head, bytes, ".npy")) {
    return fail(path, "an archive of NumPy arrays (.npz)",
                "write what is in it as text: x = numpy.load('x.npz'); numpy.savetxt('x.csv', "
                "x[x.files[0]], '%.9g', ',')");
  }
  if (zip_has(head, bytes, "data.pkl")) {
    return fail(path, "a PyTorch file (.pt)", "write its tensors as text, with Python");
  }
  if (bytes < 4 || memcmp(head, "PK\3\4", 4) != 0) return TRM_OK;
  return fail(path, "a zip archive", "unpack it first (unzip)");
}

static bool matches(const signature *s, const char *head, int64_t bytes) {
  return bytes >= s->at + s->n && memcmp(head + s->at, s->bytes, (size_t)s->n) == 0;
}

/* ---- wide characters -------------------------------------------------------------------------- */

/* Bytes of NUL at places of either parity, and four by four. */
static const char *wide_name(const char *head, int64_t bytes) {
  int64_t zero[4] = {0};
  if (bytes >= 4 && memcmp(head, "\xFF\xFE\0\0", 4) == 0) return "UTF-32LE";
  if (bytes >= 4 && memcmp(head, "\0\0\xFE\xFF", 4) == 0) return "UTF-32BE";
  if (bytes >= 2 && memcmp(head, "\xFF\xFE", 2) == 0) return "UTF-16LE";
  if (bytes >= 2 && memcmp(head, "\xFE\xFF", 2) == 0) return "UTF-16BE";
  const int64_t quarter = bytes / 4;
  if (quarter < 2) return NULL;
  for (int64_t i = 0; i < 4 * quarter; ++i) zero[i % 4] += head[i] == 0;
  /* Of mostly Latin text the higher bytes are zero, the lower ones never. */
  const int64_t most = quarter * 9 / 10;
  if (zero[0] == 0 && zero[1] >= most && zero[2] >= most && zero[3] >= most) return "UTF-32LE";
  if (zero[3] == 0 && zero[0] >= most && zero[1] >= most && zero[2] >= most) return "UTF-32BE";
  if (zero[0] + zero[2] == 0 && zero[1] >= most && zero[3] >= most) return "UTF-16LE";
  if (zero[1] + zero[3] == 0 && zero[0] >= most && zero[2] >= most) return "UTF-16BE";
  return NULL;
}

static trm_status check_wide(const char *path, const char *head, int64_t bytes) {
  const char *wide = wide_name(head, bytes);
  if (wide) {
    return trm_fail(TRM_ERR_DATA, "%s: is %s; convert it (iconv -f %s -t UTF-8)", path, wide, wide);
  }
  const char *nul = memchr(head, 0, (size_t)bytes);
  if (!nul) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: a NUL byte at byte %lld, which no text has; is it a binary file?", path,
                  (long long)(nul - head));
}

trm_status trm_signature_check(const char *path, const char *head, int64_t bytes, bool any_bytes) {
  for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; ++i) {
    const signature *s = &signatures[i];
    if (matches(s, head, bytes)) return fail(path, s->is, s->remedy);
  }
  const bool binary = is_binary(head, bytes);
  for (size_t i = 0; i < sizeof lettered / sizeof lettered[0] && binary; ++i) {
    const signature *s = &lettered[i];
    if (matches(s, head, bytes)) return fail(path, s->is, s->remedy);
  }
  TRM_TRY(check_zip(path, head, bytes));
  if (is_pickle(head, bytes)) {
    return fail(path, "a Python pickle, which is a program and is not run here",
                "write what is in it as text, with Python");
  }
  for (size_t i = 0; i < sizeof pages / sizeof pages[0] && !any_bytes; ++i) {
    const signature *s = &pages[i];
    if (bytes >= s->n && strncasecmp(head, s->bytes, (size_t)s->n) == 0) {
      return fail(path, s->is, s->remedy);
    }
  }
  return any_bytes ? TRM_OK : check_wide(path, head, bytes);
}
