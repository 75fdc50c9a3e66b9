// SentencePiece with C linkage: see sentencepiece_shim.h.
#include "sentencepiece_shim.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

struct trm_shim {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

trm_shim_status fail(trm_shim_error *error, trm_shim_status status, const char *message) {
  (void)std::snprintf(error->message, sizeof error->message, "%s", message);
  return status;
}

// "./src/file.cc(12) [condition] what is wrong" without all before the last part.
trm_shim_status refuse(trm_shim_error *error, const sentencepiece::util::Status &status) {
  std::string_view text = status.message();
  if (const auto bracket = text.find(") ["); bracket != std::string_view::npos) {
    const auto end = text.rfind("] ");
    const bool says_more = end != std::string_view::npos && end + 2 < text.size();
    text.remove_prefix(says_more ? end + 2 : bracket + 2);
  }
  return fail(error, TRM_SHIM_REFUSED, std::string(text).c_str());
}

// Runs what may throw: a C caller must not see it.
template <class Work> trm_shim_status guard(trm_shim_error *error, Work work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc &) {
    return fail(error, TRM_SHIM_MEMORY, "out of memory");
  } catch (const std::exception &e) {
    return fail(error, TRM_SHIM_REFUSED, e.what());
  } catch (...) {
    return fail(error, TRM_SHIM_REFUSED, "an unknown exception");
  }
}

template <class T>
trm_shim_status give(trm_shim_error *error, const T *from, size_t n, trm_shim_room room,
                     void *context) {
  void *to = room(context, static_cast<int64_t>(n), sizeof(T));
  if (!to) return fail(error, TRM_SHIM_MEMORY, "out of memory");
  if (n > 0) std::memcpy(to, from, n * sizeof(T));
  return TRM_SHIM_OK;
}

class Texts : public sentencepiece::SentenceIterator {
public:
  Texts(trm_shim_next next, void *context) : next_(next), context_(context) { Next(); }
  bool done() const override { return done_; }
  void Next() override {
    const char *text;
    int64_t bytes;
    done_ = !next_(context_, &text, &bytes);
    if (!done_) value_.assign(text, static_cast<size_t>(bytes));
  }
  const std::string &value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

private:
  trm_shim_next next_;
  void *context_;
  bool done_ = false;
  std::string value_;
};

} // namespace

trm_shim_status trm_shim_open(const char *model, int64_t bytes, trm_shim **out,
                              trm_shim_error *error) {
  *out = nullptr;
  trm_shim *shim = new (std::nothrow) trm_shim;
  if (!shim) return fail(error, TRM_SHIM_MEMORY, "out of memory");
  const trm_shim_status status = guard(error, [&] {
    const auto loaded =
        shim->processor.LoadFromSerializedProto({model, static_cast<size_t>(bytes)});
    return loaded.ok() ? TRM_SHIM_OK : refuse(error, loaded);
  });
  if (status == TRM_SHIM_OK) {
    *out = shim;
  } else {
    delete shim;
  }
  return status;
}

void trm_shim_close(trm_shim *shim) {
  delete shim;
}

int32_t trm_shim_pieces(const trm_shim *shim) {
  return shim->processor.GetPieceSize();
}

void trm_shim_specials(const trm_shim *shim, int32_t *unk, int32_t *bos, int32_t *eos) {
  *unk = shim->processor.unk_id();
  *bos = shim->processor.bos_id();
  *eos = shim->processor.eos_id();
}

const char *trm_shim_text(const trm_shim *shim, int32_t piece, int64_t *bytes) {
  const std::string &text = shim->processor.IdToPiece(piece);
  *bytes = static_cast<int64_t>(text.size());
  return text.data();
}

trm_shim_type trm_shim_type_of(const trm_shim *shim, int32_t piece) {
  const auto &processor = shim->processor;
  if (processor.IsUnknown(piece)) return TRM_SHIM_UNKNOWN;
  if (processor.IsControl(piece)) return TRM_SHIM_CONTROL;
  if (processor.IsByte(piece)) return TRM_SHIM_BYTE;
  return TRM_SHIM_NORMAL;
}

trm_shim_status trm_shim_encode(const trm_shim *shim, const char *text, int64_t bytes,
                                trm_shim_room room, void *context, trm_shim_error *error) {
  return guard(error, [&] {
    std::vector<int> pieces;
    const std::string_view all(text, static_cast<size_t>(bytes));
    const auto encoded = shim->processor.Encode(all, &pieces);
    if (!encoded.ok()) return refuse(error, encoded);
    static_assert(sizeof(int) == sizeof(int32_t));
    return give(error, pieces.data(), pieces.size(), room, context);
  });
}

trm_shim_status trm_shim_decode(const trm_shim *shim, const int32_t *pieces, int64_t n,
                                trm_shim_room room, void *context, trm_shim_error *error) {
  return guard(error, [&] {
    std::string text;
    const std::vector<int> all(pieces, pieces + n);
    const auto decoded = shim->processor.Decode(all, &text);
    if (!decoded.ok()) return refuse(error, decoded);
    return give(error, text.data(), text.size(), room, context);
  });
}

trm_shim_status trm_shim_train(const trm_shim_option *options, int n_options, trm_shim_next next,
                               void *texts, trm_shim_room room, void *context,
                               trm_shim_error *error) {
  return guard(error, [&] {
    std::unordered_map<std::string, std::string> all;
    for (int i = 0; i < n_options; ++i) all[options[i].name] = options[i].value;
    Texts iterator(next, texts);
    std::string model;
    const auto trained = sentencepiece::SentencePieceTrainer::Train(all, &iterator, &model);
    if (!trained.ok()) return refuse(error, trained);
    return give(error, model.data(), model.size(), room, context);
  });
}
