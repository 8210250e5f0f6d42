#include "datasets/face_folder.h"

#include <set>

#include "base/error.h"
#include "datasets/domains.h"
#include "tests/datasets/draw.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

// Images of one identity, each with a number of its own in the first row.
void add_person(Files& files, const std::string& folder, int images, int first) {
  for (int i = 0; i < images; ++i) {
    const int number = first + i;
    files.emplace_back(concat(folder, "/", i, ".png"), grey_image(8, 8, [number](int row, int column) {
                         return row == 0 && (number >> column & 1) ? 255 : 0;
                       }));
  }
}

// Three domains of two identities with three images.
Files three_domains(const std::string& around = "") {
  Files files;
  int first = 1;
  for (const std::string domain : {"indoors", "outdoors", "passport"}) {
    for (const std::string person : {"anna", "bert"}) {
      add_person(files, around + domain + "/" + person, 3, first);
      first += 3;
    }
  }
  return files;
}

FaceFolderSettings settings(const fs::path& path, std::vector<std::string> test = {"passport"},
                            std::vector<std::string> validation = {}) {
  FaceFolderSettings out;
  out.path = path.string();
  out.domains = {.validation = std::move(validation), .test = std::move(test), .drawn = {}};
  return out;
}

std::vector<std::string> names_in(const Dataset& dataset, Split split) {
  std::vector<std::string> out;
  for (const auto& domain : domains_of(dataset)->domains(split)) out.push_back(domain.name);
  return out;
}

}  // namespace

TEST_CASE("face_folder: domains are the outer folders, and an identity is its domain's own", "[datasets]") {
  const Alone alone;
  write_folder(alone / "faces", three_domains());
  const auto dataset = make_face_folder(settings(alone / "faces"));
  CHECK(names_in(*dataset, Split::kTrain) == std::vector<std::string>{"indoors", "outdoors"});
  CHECK(names_in(*dataset, Split::kTest) == std::vector<std::string>{"passport"});
  CHECK(dataset->class_names(Split::kTrain) ==
        std::vector<std::string>{"indoors/anna", "indoors/bert", "outdoors/anna", "outdoors/bert"});
  CHECK(dataset->spec().protocol.find("train indoors, outdoors; validation none; test passport") !=
        std::string::npos);
  // What is drawn within a domain are its images.
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 2};
  auto episodes = make_episodes(dataset->spec(), shape, 1);
  Stream stream = task_stream(1);
  const auto drawn = domains_of(*dataset)->draw_within(Split::kTrain, 1, shape, stream, episodes, 0);
  CHECK(std::set<int64_t>(drawn.begin(), drawn.end()) == std::set<int64_t>{2, 3});
  std::set<int> numbers;
  for (const auto& x : {episodes.support_x[0], episodes.query_x[0]}) {
    for (int64_t i = 0; i < x.size(0); ++i) {
      int number = 0;
      for (int bit = 0; bit < 8; ++bit) number += static_cast<int>(x[i][0][0][bit].item<double>()) << bit;
      numbers.insert(number);
    }
  }
  CHECK(numbers == std::set<int>{7, 8, 9, 10, 11, 12});
}

TEST_CASE("face_folder: an archive, folders around and inside, and the folder itself are the same data",
          "[datasets]") {
  const Alone alone;
  write_folder(alone / "faces", three_domains());
  write_zip(alone / "faces.zip", three_domains("all/faces/"));
  Files nested;
  for (auto& [path, content] : three_domains()) {
    const auto slash = path.rfind('/');
    nested.emplace_back(path.substr(0, slash) + "/session1" + path.substr(slash), content);
  }
  write_folder(alone / "nested", nested);
  const auto folder = make_face_folder(settings(alone / "faces")),
             zip = make_face_folder(settings(alone / "faces.zip")),
             deep = make_face_folder(settings(alone / "nested"));
  for (const auto* other : {&zip, &deep}) {
    CHECK((*other)->digest() == folder->digest());
    CHECK((*other)->class_names(Split::kTest) == folder->class_names(Split::kTest));
  }
  CHECK_FALSE(make_face_folder(settings(alone / "faces", {"indoors"}))->digest() == folder->digest());
}

TEST_CASE("face_folder: what cannot be used is left out and named", "[datasets]") {
  const Alone alone;
  auto files = three_domains();
  add_person(files, "indoors/carl", 1, 40);
  add_person(files, "outdoors", 1, 50);  // in a domain, but of nobody
  files.emplace_back("README.txt", Bytes{'h', 'i'});
  write_folder(alone / "faces", files);
  const auto dataset = make_face_folder(settings(alone / "faces"));
  CHECK(dataset->classes(Split::kTrain) == 4);
  CHECK_THAT(dataset->spec().protocol, contains("1 identities of one image left out: indoors/carl") &&
                                           contains("1 images in no DOMAIN/IDENTITY folder ignored") &&
                                           contains("README.txt"));
}

TEST_CASE("face_folder: domains may be drawn, and then every one is somewhere", "[datasets]") {
  const Alone alone;
  write_folder(alone / "faces", three_domains());
  const auto dataset = make_face_folder(settings(alone / "faces", {}));
  std::set<std::string> all;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto names = names_in(*dataset, split);
    CHECK(names.size() == 1);
    all.insert(names.begin(), names.end());
  }
  CHECK(all.size() == 3);
}

TEST_CASE("face_folder: folders that are no faces of domains are refused with what is expected",
          "[datasets]") {
  const Alone alone;
  const auto refused = [&](const std::string& name, const Files& files, const std::string& said,
                           std::vector<std::string> test = {"passport"}) {
    write_folder(alone / name, files);
    INFO(name);
    CHECK_THROWS_WITH(make_face_folder(settings(alone / name, std::move(test))), contains(said));
  };
  Files flat, one_domain, one_identity, one_image, none;
  add_person(flat, "anna", 3, 1);
  add_person(flat, "bert", 3, 4);
  refused("flat", flat, "has no domains");
  add_person(one_domain, "passport/anna", 3, 1);
  add_person(one_domain, "passport/bert", 3, 4);
  refused("one_domain", one_domain, "has one domain, 'passport'");
  one_identity = three_domains();
  add_person(one_identity, "alone/carl", 3, 30);
  refused("one_identity", one_identity, "the domain 'alone'");
  one_image = three_domains();
  add_person(one_image, "once/carl", 1, 30);
  add_person(one_image, "once/dora", 1, 31);
  refused("one_image", one_image, "has 0 identities with two images or more");
  none.emplace_back("passport/anna/notes.txt", Bytes{'x'});
  refused("none", none, "holds no image");
  refused("unknown", three_domains(), "indoors", {"pasport"});
  refused("all", three_domains(), "none is left for training", {"passport", "indoors", "outdoors"});
  CHECK_THROWS_WITH(make_face_folder(settings(alone / "missing")), contains("missing"));
  auto damaged = three_domains();
  damaged.front().second = {'n', 'o'};
  refused("damaged", damaged, "indoors/anna/0.png");
  auto left = settings(alone / "damaged");
  left.skip_damaged = true;
  CHECK_THAT(make_face_folder(left)->spec().protocol,
             contains("1 damaged images left out: indoors/anna/0.png"));
}
