#include "runners/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace innerloop {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are written as they lie in memory");

constexpr char kMagic[] = {'I', 'N', 'N', 'R', 'L', 'O', 'O', 'P'};
constexpr uint32_t kVersion = 1;
constexpr size_t kPreamble = 24, kChecksum = 8;

struct Dtype {
  const char* name;
  torch::ScalarType type;
};
constexpr Dtype kDtypes[] = {
    {"float32", torch::kFloat32}, {"float64", torch::kFloat64}, {"int64", torch::kInt64}};

uint64_t fnv1a(const char* data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3u;
  return hash;
}

template <class Integer>
void append(std::string& bytes, Integer value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Integer>
Integer read_at(const std::string& bytes, size_t offset) {
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

void append_tensors(const Params& params, const char* group, nlohmann::json& list, std::string& data) {
  for (const auto& [name, value] : params) {
    const torch::Tensor tensor = value.detach().to(torch::kCPU).contiguous();
    const char* dtype = nullptr;
    for (const auto& known : kDtypes) {
      if (known.type == tensor.scalar_type()) dtype = known.name;
    }
    require(dtype != nullptr, "checkpoint: tensor '", name, "' has a type that checkpoints do not hold");
    const auto bytes = static_cast<size_t>(tensor.nbytes());
    list.push_back({{"name", name},
                    {"group", group},
                    {"dtype", dtype},
                    {"shape", std::vector<int64_t>(tensor.sizes().begin(), tensor.sizes().end())},
                    {"offset", data.size()},
                    {"bytes", bytes}});
    data.append(static_cast<const char*>(tensor.data_ptr()), bytes);
  }
}

Params read_tensors(const nlohmann::json& list, const std::string& group, const std::string& bytes,
                    size_t base) {
  std::vector<Params::Entry> entries;
  for (const auto& entry : list) {
    if (entry.at("group") != group) continue;
    const auto name = entry.at("name").get<std::string>();
    const auto shape = entry.at("shape").get<std::vector<int64_t>>();
    const auto offset = entry.at("offset").get<size_t>(), size = entry.at("bytes").get<size_t>();
    const Dtype* dtype = nullptr;
    for (const auto& known : kDtypes) {
      if (entry.at("dtype") == known.name) dtype = &known;
    }
    require(dtype != nullptr, "tensor '", name, "' has an unknown type");
    const torch::Tensor tensor = torch::empty(shape, dtype->type);
    require(static_cast<size_t>(tensor.nbytes()) == size, "tensor '", name, "' has ", size,
            " bytes, expected ", tensor.nbytes());
    std::memcpy(tensor.data_ptr(), bytes.data() + base + offset, size);
    entries.push_back({name, tensor});
  }
  return Params(std::move(entries));
}

// How long a file with this beginning should be, or 0 if the beginning does not say.
size_t expected_size(const std::string& bytes) {
  const auto header_size = read_at<uint64_t>(bytes, 16);
  if (header_size > (uint64_t{1} << 32)) return 0;
  if (kPreamble + header_size > bytes.size()) return kPreamble + header_size + kChecksum;
  const auto header = nlohmann::json::parse(bytes.substr(kPreamble, header_size), nullptr, false);
  if (!header.is_object() || !header.contains("tensors") || !header["tensors"].is_array()) return 0;
  size_t data = 0;
  for (const auto& entry : header["tensors"]) {
    if (!entry.is_object() || !entry.contains("bytes") || !entry["bytes"].is_number_unsigned()) return 0;
    data += entry["bytes"].get<size_t>();
  }
  return kPreamble + header_size + data + kChecksum;
}

// One open file that knows its name; the system's reason goes into every error.
class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : path_(path), descriptor_(open(path.c_str(), flags, 0644)) {
    check(descriptor_ >= 0, "cannot open");
  }
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write_all(const std::string& content) {
    for (size_t done = 0; done < content.size();) {
      const ssize_t count = write(descriptor_, content.data() + done, content.size() - done);
      if (count < 0 && errno == EINTR) continue;
      check(count > 0, "cannot write");
      done += static_cast<size_t>(count);
    }
  }
  void sync() { check(fsync(descriptor_) == 0, "cannot sync"); }

 private:
  void check(bool condition, const char* what) const {
    require(condition, what, " '", path_.string(), "': ", std::strerror(errno));
  }

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace

void write_file_atomically(const std::filesystem::path& file, const std::string& content) {
  std::filesystem::path temporary = file;
  temporary += ".tmp";
  try {
    {
      File out(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
      out.write_all(content);
      out.sync();
    }
    require(std::rename(temporary.c_str(), file.c_str()) == 0, "cannot rename '", temporary.string(),
            "' to '", file.string(), "': ", std::strerror(errno));
  } catch (const Error&) {
    unlink(temporary.c_str());
    throw;
  }
  const auto folder = file.parent_path();
  File(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC).sync();
}

void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  std::string data;
  nlohmann::json tensors = nlohmann::json::array();
  append_tensors(checkpoint.meta, "meta", tensors, data);
  append_tensors(checkpoint.optimizer, "optimizer", tensors, data);
  append_tensors(checkpoint.job, "job", tensors, data);
  const std::string header = nlohmann::json{
      {"kind", checkpoint.kind},
      {"config", checkpoint.config},
      {"iteration", checkpoint.iteration},
      {"environment_steps", checkpoint.environment_steps},
      {"tensors", tensors}}.dump();
  std::string bytes(kMagic, sizeof kMagic);
  append(bytes, kVersion);
  append(bytes, uint32_t{0});
  append(bytes, uint64_t{header.size()});
  bytes += header;
  bytes += data;
  append(bytes, fnv1a(bytes.data(), bytes.size()));
  write_file_atomically(file, bytes);
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  const std::string name = "checkpoint '" + file.string() + "'";
  std::error_code ignored;
  require(std::filesystem::exists(file, ignored), name, " does not exist");
  std::ifstream in(file, std::ios::binary);
  require(in.good() && !std::filesystem::is_directory(file, ignored), "cannot read ", name);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};

  const size_t magic = std::min(bytes.size(), sizeof kMagic);
  require(std::memcmp(bytes.data(), kMagic, magic) == 0, name, " is not a checkpoint of innerloop");
  require(bytes.size() >= kPreamble + kChecksum, name, " is truncated: it has ", bytes.size(),
          " bytes, expected at least ", kPreamble + kChecksum);
  const auto version = read_at<uint32_t>(bytes, 8);
  require(version <= kVersion, name, " has format version ", version, ", this program reads versions up to ",
          kVersion, ": use the newer innerloop that wrote it");
  const size_t end = bytes.size() - kChecksum;
  if (fnv1a(bytes.data(), end) != read_at<uint64_t>(bytes, end)) {
    const size_t expected = expected_size(bytes);
    require(expected <= bytes.size(), name, " is truncated: it has ", bytes.size(), " bytes, expected ",
            expected);
    throw Error(name + " is damaged: its checksum does not match its content");
  }
  try {
    const auto header_size = read_at<uint64_t>(bytes, 16);
    require(version >= 1 && header_size <= end - kPreamble && expected_size(bytes) == bytes.size(),
            "its header does not describe its content");
    const auto header = nlohmann::json::parse(bytes.substr(kPreamble, header_size));
    const size_t base = kPreamble + header_size;
    for (const auto& entry : header.at("tensors")) {
      const auto offset = entry.at("offset").get<size_t>(), size = entry.at("bytes").get<size_t>();
      require(offset <= end - base && size <= end - base - offset, "a tensor lies outside of it");
    }
    return {header.at("kind"),
            header.at("config"),
            header.at("iteration"),
            header.at("environment_steps"),
            read_tensors(header.at("tensors"), "meta", bytes, base),
            read_tensors(header.at("tensors"), "optimizer", bytes, base),
            read_tensors(header.at("tensors"), "job", bytes, base)};
  } catch (const std::exception& error) {
    throw Error(concat(name, " is damaged: ", error.what()));
  }
}

}  // namespace innerloop
