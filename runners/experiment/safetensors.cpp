#include "runners/experiment/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace innerloop {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr char kMetadataKey[] = "__metadata__";
constexpr size_t kLengthBytes = 8, kAlignment = 8;  // the data begin at a multiple of kAlignment
constexpr uint64_t kLongestHeader = 100'000'000;    // that of the reference implementation
constexpr size_t kMostDimensions = 64;              // NumPy's limit

struct Dtype {
  const char* name;
  torch::ScalarType type;
};
constexpr Dtype kDtypes[] = {{"F64", torch::kFloat64},
                             {"I64", torch::kInt64},
                             {"F32", torch::kFloat32},
                             {"U8", torch::kUInt8},
                             {"BOOL", torch::kBool}};

template <class Matches>
const Dtype* find_dtype(const Matches& matches) {
  const auto* found = std::find_if(std::begin(kDtypes), std::end(kDtypes), matches);
  return found == std::end(kDtypes) ? nullptr : found;
}

std::string known_dtypes() {
  std::vector<std::string> names;
  for (const auto& known : kDtypes) names.push_back(known.name);
  return join(names);
}

// The beginning of a text out of a file, fit for a line of the terminal.
std::string shown(const std::string& text) {
  constexpr size_t kLongest = 60;
  using nlohmann::json;
  const std::string escaped =
      json(text.substr(0, kLongest)).dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() <= kLongest ? escaped : escaped + "...";
}

template <class Read>
auto or_damaged(const std::string& name, const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Error(concat(name, " is damaged: ", error.what()));
  }
}

std::string quoted(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    throw Error(concat("safetensors: '", text, "' is not UTF-8"));
  }
}

struct HeaderEntry {
  std::string name;
  const Dtype* dtype = nullptr;
  std::vector<uint64_t> shape, offsets;

  uint64_t begin() const { return offsets[0]; }
  uint64_t end() const { return offsets[1]; }
};

// Takes the events of a JSON parser, which does not recurse, and accepts exactly the header of the format.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::map<std::string, std::string> metadata;
  std::vector<HeaderEntry> entries;

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::kStart:
        place_ = Place::kTop;
        return true;
      case Place::kTop:
        place_ = key_ == kMetadataKey ? Place::kMetadata : Place::kTensor;
        if (place_ == Place::kTensor) entries.push_back({key_});
        fields_.clear();
        return true;
      default:
        return unexpected("an object");
    }
  }
  bool key(string_t& name) override {
    if (place_ == Place::kMetadata) {
      require(metadata.find(name) == metadata.end(), where(), " names ", shown(name), " twice");
      field_ = name;
      return true;
    }
    auto& known = place_ == Place::kTop ? names_ : fields_;
    require(known.insert(name).second, where(), " names ", shown(name), " twice");
    const bool field = name == "dtype" || name == "shape" || name == "data_offsets";
    require(place_ == Place::kTop || field, where(), " has the unknown field ", shown(name),
            ", expected dtype, shape and data_offsets");
    (place_ == Place::kTop ? key_ : field_) = name;
    return true;
  }
  bool end_object() override {
    if (place_ == Place::kTensor) {
      require(fields_.size() == 3, where(), " has ", fields_.size(),
              " fields, expected dtype, shape and data_offsets");
      require(entries.back().offsets.size() == 2, where(), " has ", entries.back().offsets.size(),
              " data_offsets, expected 2");
    }
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }
  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) return metadata.emplace(field_, value).second;
    if (place_ != Place::kTensor || field_ != "dtype") return unexpected("a string");
    entries.back().dtype = find_dtype([&](const Dtype& known) { return value == known.name; });
    require(entries.back().dtype != nullptr, where(), " has the type ", shown(value),
            ", known: ", known_dtypes());
    return true;
  }
  bool start_array(std::size_t) override {
    if (place_ != Place::kTensor || field_ == "dtype") return unexpected("a list");
    place_ = field_ == "shape" ? Place::kShape : Place::kOffsets;
    return true;
  }
  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kShape && place_ != Place::kOffsets) return unexpected("a number");
    auto& numbers = place_ == Place::kShape ? entries.back().shape : entries.back().offsets;
    const size_t most = place_ == Place::kShape ? kMostDimensions : 2;
    require(numbers.size() < most, where(), " has more than ", most, " numbers in its ", field_);
    numbers.push_back(value);
    return true;
  }
  bool number_integer(number_integer_t value) override { return unexpected(concat("the number ", value)); }
  bool number_float(number_float_t, const string_t& text) override {
    return unexpected(concat("the number ", shown(text)));
  }
  bool boolean(bool value) override { return unexpected(value ? "true" : "false"); }
  bool null() override { return unexpected("null"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw Error(concat("its header is not JSON at byte ", position));
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  std::string where() const {
    if (place_ == Place::kStart || place_ == Place::kTop || place_ == Place::kEnd) return "its header";
    return place_ == Place::kMetadata ? kMetadataKey : concat("tensor ", shown(key_));
  }
  bool unexpected(const std::string& what) const {
    throw Error(concat(where(), " holds ", what, " out of place"));
  }

  Place place_ = Place::kStart;
  std::string key_, field_;               // of the header; of the metadata or the tensor
  std::set<std::string> names_, fields_;  // seen: of the header; of the tensor
};

// Error unless the entries fill the bytes from 0 on without gap or overlap; returns how many bytes that are.
uint64_t check_layout(const std::vector<HeaderEntry>& entries) {
  std::vector<const HeaderEntry*> sorted;
  for (const auto& entry : entries) {
    // A dimension of zero counts as one here: torch multiplies the others for the strides.
    auto bytes = static_cast<int64_t>(torch::elementSize(entry.dtype->type));
    bool overflow = false, zero = false;
    for (const uint64_t dimension : entry.shape) {
      zero = zero || dimension == 0;
      overflow = overflow || __builtin_mul_overflow(bytes, std::max<uint64_t>(dimension, 1), &bytes);
    }
    require(!overflow, "tensor ", shown(entry.name), " has a shape of 2^63 bytes or more");
    const auto expected = zero ? 0 : static_cast<uint64_t>(bytes);
    require(entry.begin() <= entry.end() && entry.end() - entry.begin() == expected, "tensor ",
            shown(entry.name), " lies at [", entry.begin(), ", ", entry.end(), "), its shape and type take ",
            expected, " bytes");
    sorted.push_back(&entry);
  }
  std::sort(sorted.begin(), sorted.end(), [](const HeaderEntry* a, const HeaderEntry* b) {
    return std::pair(a->begin(), a->end()) < std::pair(b->begin(), b->end());
  });
  uint64_t end = 0;
  for (const auto* entry : sorted) {
    require(entry->begin() == end, "tensor ", shown(entry->name), " begins at byte ", entry->begin(),
            " of the data, the tensor before it ends at ", end);
    end = entry->end();
  }
  return end;
}

torch::Tensor make_tensor(const HeaderEntry& entry, std::string_view data) {
  const std::vector<int64_t> shape(entry.shape.begin(), entry.shape.end());
  const torch::Tensor tensor = torch::empty(shape, entry.dtype->type);
  const auto bytes = data.substr(entry.begin(), entry.end() - entry.begin());
  const bool truths = entry.dtype->type == torch::kBool;
  require(!truths || bytes.find_first_not_of(std::string_view("\0\1", 2)) == bytes.npos, "tensor ",
          shown(entry.name), " of type BOOL holds a byte that is neither 0 nor 1");
  if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

HeaderReader read_header(std::string_view header) {
  // The parser would take this byte for the end of the text.
  require(header.find('\0') == header.npos, "its header holds a zero byte");
  HeaderReader reader;
  nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
  return reader;
}

struct Laid {  // a tensor to be written
  const std::string* name;
  torch::Tensor value;
  const Dtype* dtype;
  size_t begin = 0;

  size_t bytes() const { return static_cast<size_t>(value.nbytes()); }
  std::string text() const {
    std::vector<std::string> shape;
    for (const int64_t dimension : value.sizes()) shape.push_back(std::to_string(dimension));
    return concat(quoted(*name), ":{\"dtype\":\"", dtype->name, "\",\"shape\":[", join(shape, ","),
                  "],\"data_offsets\":[", begin, ",", begin + bytes(), "]}");
  }
};

Laid to_be_laid(const Params::Entry& entry) {
  require(entry.name != kMetadataKey, "safetensors: no tensor can have the name '", kMetadataKey, "'");
  require(entry.value.defined() && entry.value.layout() == torch::kStrided, "safetensors: tensor '",
          entry.name, "' is undefined or sparse");
  const torch::Tensor value = entry.value.detach().to(torch::kCPU).contiguous();
  const auto* dtype = find_dtype([&](const Dtype& known) { return value.scalar_type() == known.type; });
  require(dtype != nullptr, "safetensors: tensor '", entry.name, "' is of type ", value.scalar_type(),
          ", which is not written; known: ", known_dtypes());
  return {&entry.name, value, dtype};
}

}  // namespace

std::string format_safetensors(const Safetensors& content) {
  std::vector<std::string> words;
  if (!content.metadata.empty()) {
    std::vector<std::string> strings;
    for (const auto& [key, value] : content.metadata)
      strings.push_back(concat(quoted(key), ":", quoted(value)));
    words.push_back(concat(quoted(kMetadataKey), ":{", join(strings, ","), "}"));
  }
  std::vector<Laid> tensors;
  for (const auto& entry : content.tensors) tensors.push_back(to_be_laid(entry));
  std::vector<Laid*> order;
  for (auto& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const Laid* a, const Laid* b) {
    return a->value.element_size() > b->value.element_size();
  });
  size_t end = 0;
  for (auto* tensor : order) end = (tensor->begin = end) + tensor->bytes();
  for (const auto& tensor : tensors) words.push_back(tensor.text());

  std::string header = concat("{", join(words, ","), "}");
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  require(header.size() <= kLongestHeader, "safetensors: names and metadata take ", header.size(),
          " bytes, the format allows ", kLongestHeader);
  require(end <= kSafetensorsLimit - kLengthBytes - header.size(), "safetensors: the tensors take ", end,
          " bytes, a file can have ", kSafetensorsLimit);
  const uint64_t length = header.size();
  std::string bytes;
  bytes.reserve(kLengthBytes + header.size() + end);
  bytes.append(reinterpret_cast<const char*>(&length), kLengthBytes);
  bytes += header;
  for (const auto* tensor : order)
    bytes.append(static_cast<const char*>(tensor->value.data_ptr()), tensor->bytes());
  return bytes;
}

Safetensors parse_safetensors(std::string_view bytes, const std::string& name) {
  require(bytes.size() <= kLengthBytes || bytes[kLengthBytes] == '{', name, " is not a safetensors file");
  constexpr size_t kShortest = kLengthBytes + 2;
  require(bytes.size() >= kShortest, name, " is truncated: it has ", bytes.size(),
          " bytes, expected at least ", kShortest);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  require(length <= kLongestHeader, name, " is damaged: its header has ", length,
          " bytes, the format allows ", kLongestHeader);
  require(length <= bytes.size() - kLengthBytes, name, " is truncated: it has ", bytes.size(),
          " bytes, expected at least ", kLengthBytes + length);
  const auto data = bytes.substr(kLengthBytes + length);
  HeaderReader header = or_damaged(name, [&] { return read_header(bytes.substr(kLengthBytes, length)); });
  const uint64_t end = or_damaged(name, [&] { return check_layout(header.entries); });
  require(end <= data.size(), name, " is truncated: it has ", data.size(), " bytes of tensors, expected ",
          end);
  require(end == data.size(), name, " is damaged: ", data.size() - end, " bytes follow its last tensor");
  std::vector<Params::Entry> tensors;
  for (const auto& entry : header.entries)
    tensors.push_back({entry.name, or_damaged(name, [&] { return make_tensor(entry, data); })});
  return {std::move(header.metadata), Params(std::move(tensors))};
}

void write_safetensors(const std::filesystem::path& file, const Safetensors& content) {
  write_file_atomically(file, format_safetensors(content));
}

Safetensors read_safetensors(const std::filesystem::path& file) {
  return parse_safetensors(read_file(file, kSafetensorsLimit), concat("'", file.string(), "'"));
}

}  // namespace innerloop
