#include "datasets/omniglot.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_decode.h"
#include "datasets/image_reader.h"
#include "datasets/image_store.h"
#include "datasets/names.h"
#include "datasets/regular_file.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBackground = 964, kEvaluation = 659;
constexpr char kOmniglotOrigin[] =
    "Omniglot: images_background.zip and images_evaluation.zip of github.com/brendenlake/omniglot (folder "
    "python), both in one folder.";
constexpr char kListsOrigin[] =
    "The lists of this split: github.com/jakesnell/prototypical-networks, data/omniglot/splits/vinyals; put "
    "train.txt, val.txt and test.txt into the folder splits_vinyals beside the archives.";

using Classes = std::vector<ImageClass>;

// One of the two halves: its files, and the characters in the order of their images.
struct Half {
  ImageSource source;
  Classes characters;
  std::vector<std::string> ignored;  // files that are no images
};

// ALPHABET/characterNN of .../ALPHABET/characterNN/FILE
std::string character_of(const std::string& path, const fs::path& source) {
  const fs::path folder = fs::path(path).parent_path();
  const auto character = folder.filename().string(), alphabet = folder.parent_path().filename().string();
  require(!alphabet.empty() && character.starts_with("character"), "omniglot: ", entry_name(source, path),
          " does not lie in a folder ALPHABET/characterNN");
  return alphabet + "/" + character;
}

Half read_half(const fs::path& folder, const std::string& name, size_t expected, int64_t first) {
  Half half;
  half.source.path = folder / (name + ".zip");
  if (!fs::exists(half.source.path)) half.source.path = folder / name;
  require(fs::exists(half.source.path), "omniglot: ", folder.string(), " holds neither ", name,
          ".zip nor a folder ", name, ".\n", kOmniglotOrigin);
  for (auto& path : list_files(half.source.path).files) {
    if (!is_image_name(path)) {
      half.ignored.push_back(path);
      continue;
    }
    const auto character = character_of(path, half.source.path);
    if (half.characters.empty() || half.characters.back().name != character) {
      half.characters.push_back({character, first, 0});
    }
    ++half.characters.back().count;
    ++first;
    half.source.files.push_back(std::move(path));
  }
  require(half.characters.size() == expected, "omniglot: ", half.source.path.string(), " holds ",
          half.characters.size(), " characters, expected ", expected, ".\n", kOmniglotOrigin);
  return half;
}

Classes sorted(Classes classes) {
  std::sort(classes.begin(), classes.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return classes;
}

void split_maml(ImageStore& store, const Classes& all) {
  Classes classes = all;
  Stream stream({.seed = 1, .purpose = Purpose::kClassSplit});
  for (size_t i = classes.size() - 1; i > 0; --i) std::swap(classes[i], classes[stream.below(i + 1)]);
  const auto train = classes.begin() + 1100, validation = train + 100;
  store.classes = {Classes(classes.begin(), train), Classes(train, validation),
                   Classes(validation, classes.end())};
  store.rotate = {true, true, true};
}

void split_official(ImageStore& store, const Classes& background, const Classes& evaluation) {
  const auto first = std::find_if(background.begin(), background.end(),
                                  [](const ImageClass& c) { return c.name >= "Ojibwe"; });
  store.classes = {Classes(background.begin(), first), Classes(first, background.end()), evaluation};
  for (size_t split = 0; split < store.classes.size(); ++split)
    store.domains[split] = domains_by_name(store.classes[split]);
}

std::string alphabet_of(const std::string& name) { return name.substr(0, name.find('/')); }

// Of 20 drawings those of `count` drawers from number `first` on.
Classes drawn_by(Classes classes, int64_t first, int64_t count) {
  for (auto& c : classes) {
    require(c.count == 20, "omniglot: ", c.name, " has ", c.count,
            " images, splits = koch expects 20, one a drawer");
    c.first += first;
    c.count = count;
  }
  return classes;
}

void split_koch(ImageStore& store, const Classes& background, const Classes& evaluation) {
  std::set<std::string> alphabets;
  auto rest = evaluation.begin();
  for (; rest != evaluation.end(); ++rest) {
    alphabets.insert(alphabet_of(rest->name));
    if (alphabets.size() > 10) break;
  }
  store.classes = {drawn_by(background, 0, 12), drawn_by(Classes(evaluation.begin(), rest), 12, 4),
                   drawn_by(Classes(rest, evaluation.end()), 16, 4)};
  for (size_t split = 0; split < store.classes.size(); ++split)
    store.domains[split] = domains_by_name(store.classes[split]);
}

void group_by_alphabet(ImageStore& store) {
  for (size_t s = 0; s < store.classes.size(); ++s) {
    std::map<std::string, int64_t> numbers;
    for (const auto& c : store.classes[s]) {
      const auto group = numbers.emplace(alphabet_of(c.name), static_cast<int64_t>(numbers.size())).first;
      store.groups[s].push_back(group->second);
    }
  }
}

// Appends the image, turned counter-clockwise by quarter turns.
void append_turned(const uint8_t* image, int64_t side, int64_t turns, std::vector<uint8_t>& pixels) {
  for (int64_t r = 0; r < side; ++r) {
    for (int64_t c = 0; c < side; ++c) {
      const int64_t mirrored_r = side - 1 - r, mirrored_c = side - 1 - c;
      const int64_t from = turns == 0   ? r * side + c
                           : turns == 1 ? c * side + mirrored_r
                           : turns == 2 ? mirrored_r * side + mirrored_c
                                        : mirrored_c * side + r;
      pixels.push_back(image[from]);
    }
  }
}

// The lines of one list, ALPHABET/characterNN/rotRRR, as character and quarter turns.
std::vector<std::pair<std::string, int64_t>> read_list(const fs::path& path) {
  require(fs::exists(path), "omniglot: cannot read ", printable(path.string()), ".\n", kListsOrigin);
  const auto bytes = read_regular(path, printable(path.string()));
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::vector<std::pair<std::string, int64_t>> rows;
  std::string line;
  for (int64_t number = 1; std::getline(text, line); ++number) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) continue;
    const auto slash = line.rfind('/');
    const auto rotation = slash == std::string::npos ? "" : line.substr(slash + 1);
    const std::vector<std::string> rotations{"rot000", "rot090", "rot180", "rot270"};
    const auto found = std::find(rotations.begin(), rotations.end(), rotation);
    require(found != rotations.end(), "omniglot: ", path.string(), ", line ", number, ": ", in_quotes(line),
            ", expected ALPHABET/characterNN/rotRRR with RRR 000, 090, 180 or 270");
    rows.emplace_back(line.substr(0, slash), found - rotations.begin());
  }
  require(!rows.empty(), "omniglot: ", path.string(), " is empty.\n", kListsOrigin);
  return rows;
}

void split_vinyals(ImageStore& store, const Classes& all, const fs::path& lists) {
  std::map<std::string, ImageClass> characters;
  for (const auto& character : all) characters.emplace(character.name, character);
  const std::vector<uint8_t> upright = std::move(store.pixels);
  store.pixels.clear();
  store.pixels.reserve(4 * upright.size());
  std::map<std::string, Split> split_of;
  std::map<std::string, int64_t> first_turned;  // of each character: where its first copies lie
  std::set<std::string> turned_names;
  for (const auto& [split, name] :
       {std::pair{Split::kTrain, "train.txt"}, {Split::kValidation, "val.txt"}, {Split::kTest, "test.txt"}}) {
    const auto path = lists / name;
    for (const auto& [character, turns] : read_list(path)) {
      const auto found = characters.find(character);
      require(found != characters.end(), "omniglot: ", path.string(), " names ", character,
              ", which is not in the archives");
      const auto& upright_class = found->second;
      const auto known = split_of.emplace(character, split).first->second;
      require(known == split, "omniglot: ", path.string(), " names ", character, ", which the ",
              split_name(known), " list names too");
      ImageClass turned{concat(character, "/rot",
                               turns == 0   ? "00"
                               : turns == 1 ? "0"
                                            : "",
                               90 * turns),
                        store.images(), upright_class.count};
      turned.copies_of = first_turned.emplace(character, turned.first).first->second;
      require(turned_names.insert(turned.name).second, "omniglot: ", path.string(), " names ", turned.name,
              " twice");
      for (int64_t i = 0; i < turned.count; ++i) {
        append_turned(upright.data() + (upright_class.first + i) * store.image_bytes(), store.width, turns,
                      store.pixels);
      }
      store.classes[static_cast<size_t>(split)].push_back(std::move(turned));
    }
  }
}

}  // namespace

std::unique_ptr<Dataset> make_omniglot(const OmniglotSettings& settings) {
  const auto folder = find_data("omniglot", settings.path, "omniglot", kOmniglotOrigin);
  auto background = read_half(folder, "images_background", kBackground, 0);
  auto evaluation = read_half(folder, "images_evaluation", kEvaluation,
                              static_cast<int64_t>(background.source.files.size()));

  const int64_t size = settings.image_size > 0 ? settings.image_size : 28;
  auto block = read_images("omniglot", {background.source, evaluation.source},
                           {.size = size, .channels = 1, .invert = true});
  ImageStore store{.channels = 1, .height = size, .width = size, .pixels = std::move(block.pixels)};
  store.encoded = block.encoded;
  const auto images = store.images();
  Classes all = background.characters;
  all.insert(all.end(), evaluation.characters.begin(), evaluation.characters.end());
  all = sorted(std::move(all));
  if (settings.splits == "maml") {
    split_maml(store, all);
  } else if (settings.splits == "vinyals") {
    split_vinyals(store, all, folder / "splits_vinyals");
  } else if (settings.splits == "official") {
    split_official(store, sorted(background.characters), sorted(evaluation.characters));
  } else if (settings.splits == "koch") {
    split_koch(store, sorted(background.characters), sorted(evaluation.characters));
  } else {
    throw UsageError(concat("dataset.splits: omniglot knows no splits '", settings.splits, "'"));
  }

  if (settings.within_alphabet) group_by_alphabet(store);
  store.common_places = settings.common_drawers;

  DatasetSpec spec{.name = "omniglot", .description = kOmniglotDescription};
  spec.protocol =
      concat(settings.splits, " split, ", describe_splits(store), "; ", images, " images, ", size, " x ",
             size, ", ink = 1, resized by Lanczos; ", describe_normalisation(settings.mean, settings.std));
  if (settings.within_alphabet) spec.protocol += "; tasks within one alphabet";
  if (settings.common_drawers) spec.protocol += "; tasks of common drawers";
  auto ignored = std::move(background.ignored);
  ignored.insert(ignored.end(), evaluation.ignored.begin(), evaluation.ignored.end());
  if (!ignored.empty()) {
    spec.protocol += concat("; ", ignored.size(), " other files ignored: ", some_of(ignored));
  }
  return make_image_episodes(std::move(spec), std::move(store), settings.mean, settings.std);
}

}  // namespace innerloop
