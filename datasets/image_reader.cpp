#include "datasets/image_reader.h"

#include <cstdlib>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/hash.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

CacheKey cache_key(const std::string& dataset, const std::vector<ImageSource>& sources,
                   const PixelRules& rules) {
  CacheKey key{.name = dataset};
  key.origin = concat("lanczos ", rules.size, " ", rules.channels, " ", rules.invert);
  Hash content;
  if (rules.crop) key.origin += " cropped";
  if (!rules.upright) key.origin += " as stored";
  if (rules.skip_damaged) key.origin += " damaged ones left out";
  for (const auto& source : sources) {
    key.origin += concat("\n", fs::canonical(source.path).string());
    content.add(content_hash(source.path, source.files)).add(source.files.size());
    for (const auto& file : source.files) content.add(file);
  }
  key.content = content.value();
  return key;
}

}  // namespace

fs::path find_data(const std::string& dataset, const std::string& path, const std::string& own,
                   const std::string& origin) {
  const char* data = std::getenv("INNERLOOP_DATA");
  const bool known = data != nullptr && *data != '\0';
  const std::string set = known ? concat("INNERLOOP_DATA is ", printable(data)) : "INNERLOOP_DATA is not set";
  const auto advice = concat(" (", set, ").\n", origin,
                             "\nThen set dataset.path to the file or folder, or the environment variable "
                             "INNERLOOP_DATA to the folder above it.");
  require_usage(!path.empty() || !own.empty(), dataset, " needs dataset.path", advice);
  std::error_code ignored;
  auto inside = path.empty() ? own : path;
  while (inside.size() > 1 && inside.back() == '/') inside.pop_back();
  if (!path.empty() && fs::exists(inside, ignored)) return inside;
  if (known && fs::exists(fs::path(data) / inside, ignored)) return fs::path(data) / inside;
  throw Error(concat(dataset, ": no such file or folder: ",
                     printable(known ? (fs::path(data) / inside).string() : inside), advice));
}

PixelBlock read_images(const std::string& dataset, const std::vector<ImageSource>& sources,
                       const PixelRules& rules) {
  return cached_pixels(cache_key(dataset, sources, rules),
                       [&] { return decode_images(dataset, sources, rules); });
}

std::string describe_splits(const ImageStore& store) {
  std::vector<std::string> classes, images;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    int64_t count = 0;
    for (const auto& c : store.of(split)) count += c.count;
    classes.push_back(std::to_string(store.of(split).size()));
    images.push_back(std::to_string(count));
  }
  return concat(join(classes, " / "), " classes with ", join(images, " / "),
                " images (train / validation / test)");
}

std::string describe_normalisation(const std::vector<double>& mean, const std::vector<double>& std) {
  const auto list = [](const std::vector<double>& numbers) {
    std::vector<std::string> words;
    for (const double number : numbers) words.push_back(concat(number));
    return join(words, " ");
  };
  return concat("(pixel - mean ", list(mean), ") / std ", list(std));
}

}  // namespace innerloop
