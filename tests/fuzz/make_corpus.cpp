// make_corpus FOLDER: writes the seeds of every fuzz target, FOLDER/TARGET/NAME, from the configurations of
// this repository and from small files made here.
#include <fstream>
#include <functional>
#include <iostream>
#include <map>

#include "base/files.h"
#include "base/paths.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/event_message.h"
#include "runners/experiment/record_file.h"
#include "runners/experiment/safetensors.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

using Seeds = std::map<std::string, Bytes>;  // by name

Bytes bytes_of(const std::function<void(const fs::path& file)>& write) {
  const Folder folder;
  write(folder / "file");
  return read_bytes(folder / "file");
}

Params tensors(const std::string& last) {
  return Params({{"layer0.weight", torch::zeros({1, 3, 2})},
                 {"steps", torch::ones({1}).to(at::kLong)},
                 {last, torch::ones({1, 2}).to(at::kDouble)}});
}

Seeds events() {
  const std::string version = format_version_event(1.5), start = format_start_event(1.5, 3);
  const std::string summary = format_summary_event(
      1.5, 3, {.scalars = {{"train/loss", 0.25}}, .per_task = {{"return_per_task/after_1_step", {1, 2, 4}}}});
  const std::string file = format_record(version) + format_record(start) + format_record(summary);
  return {{"file", text(file)},
          {"cut", text(file.substr(0, file.size() - 7))},
          {"summary", text(summary)},
          {"start", text(start)}};
}

Seeds checkpoints() {
  const auto empty = Params(), some = tensors("layer0.bias");
  return {{"policy", text(format_checkpoint({.config = "inner.steps = 1\n", .iteration = 7, .meta = some}))},
          {"supervised", text(format_checkpoint({.kind = "supervised",
                                                 .config = "seed = 1\n",
                                                 .iteration = 100,
                                                 .environment_steps = 20,
                                                 .meta = some,
                                                 .optimizer = tensors("moment"),
                                                 .method = tensors("\u03b8"),
                                                 .job = tensors("window")}))},
          {"tensors", text(format_safetensors({{{"text", "\"\\ \u03b8"}}, some}))},
          {"nothing", text(format_safetensors({{}, empty}))},
          {"former", text("INNRLOOP and more")}};
}

Seeds configurations() {
  Seeds seeds{{"twice", text("seed = 1\nseed = 2\n")},
              {"sections", text("[inner]\nsteps = 2 # two\n\n[meta]\r\nstep_size=0.1\n")},
              {"texts", text("[dataset]\nname = image_folder\npath = a b/c\n")},
              {"none", text("= 1\n[]\nx\n")}};
  for (const auto& entry : fs::directory_iterator(data_directory() / "configs")) {
    if (entry.path().extension() == ".ini") seeds[entry.path().stem()] = read_bytes(entry.path());
  }
  return seeds;
}

Seeds suites() {
  Seeds seeds{
      {"empty", text("[run a]\n")},
      {"search", text("[suite]\nsearch = random\ndraws = 2\n[base]\ndataset.name = sine\n[run a]\n[search]\n"
                      "inner.step_size = 0.1 to 0.2 log\nnetwork.hidden = (8), (4,4)\n")},
      {"start", text("[run a]\ndataset.name = sine\n[run b]\ndataset.name = sine\nmeta.start = suite:a\n")}};
  for (const auto& entry : fs::directory_iterator(data_directory() / "configs" / "suites"))
    seeds[entry.path().stem()] = read_bytes(entry.path());
  return seeds;
}

std::string lines(const std::string& end) {
  return "filename,label" + end + "a/1.png,cat" + end + "\"a, \"\"b\"\".png\",dog" + end + end + "c.png,cat" +
         end;
}

Seeds labelled_files() {
  Bytes utf16{0xff, 0xfe};
  for (const char c : lines("\r\n")) utf16.insert(utf16.end(), {static_cast<uint8_t>(c), 0});
  return {{"lf", text(lines("\n"))},
          {"crlf", text("\xef\xbb\xbf" + lines("\r\n"))},
          {"cr", text(lines("\r"))},
          {"utf16", utf16},
          {"columns", text("id,label,x,filename\n1,cat,,1.png\n")}};
}

Seeds points() {
  return {{"header", text("x,y\n-1,0.5\n2e-3,-4\n")},
          {"plain", text("\xef\xbb\xbf"
                         "1;2\r\n3;4\r\n")},
          {"x", text("x\n1\n\n2\n")}};
}

Seeds published() {
  const std::string all = read_file(data_directory() / "configs" / "published.csv", 1 << 20);
  const size_t header = all.find("\ndataset,") + 1, rows = all.find('\n', header) + 1;
  Seeds seeds{{"all", text(all)}};
  for (size_t at = rows, end; (end = all.find('\n', at)) != all.npos; at = end + 1)
    seeds["row" + std::to_string(at)] =
        text(all.substr(header, rows - header) + all.substr(at, end + 1 - at));
  return seeds;
}

Seeds options() {
  return {{"train", text("navigation_2d\n--seed\n2\n--inner.steps=3\n--resume")},
          {"supervised", text("--dataset.name\nimage_folder\n--dataset.path\nmy data\n--network.name=conv4")},
          {"lists", text("--steps\n1,2,10\n--policy.hidden\n100,100")},
          {"rows", text("--algorithm\ncavia\n--cavia.contexts\n4")},
          {"help", text("--help\n--network.name\nconv4")},
          {"alias", text("--video-every\n3")},
          {"guess", text("--lr\n0.1")},
          {"dashes", text("---seed\n-v\n--\nx")}};
}

Seeds values() {
  Seeds seeds;
  uint8_t kind = 0;
  for (const char* value : {"-5", "18446744073709551615", "0.25", "1e-300", "true", "last", "center", "a b/c",
                            "40, 40", "-0.5,1e10", "none"}) {
    Bytes bytes = text(value);
    bytes.insert(bytes.begin(), kind);
    seeds["kind" + std::to_string(kind++)] = bytes;
  }
  return seeds;
}

Seeds patterns() {
  return {{"all", text("all")},
          {"lists", text("head,block1.*")},
          {"stars", text("*o*k*.w*t,*")},
          {"body", text("body")}};
}

Seeds names() {
  return {{"ascii", text("train/cat_001.jpg")},
          {"composed", text("\u00c4pfel (2).PNG")},
          {"apart", text("A\u0308\u0323pfel")},
          {"hangul", text("\ud55c\uae00/\u6c49\u5b57/\u20ac")},
          {"four", text("validation/\U0001f34e.tar.gz")},
          {"bytes", text("a\xff\xfe\x80/\xc3.webp\n")},
          {"brackets", text("dog [3].csv")}};
}

const Bytes& picture() {
  static const Bytes png = grey_image(2, 3, [](int r, int c) { return 40 * r + c; });
  return png;
}

Files split_files() {
  Files files{{"notes.txt", text("x")}, {".hidden/a.png", picture()}};
  for (const std::string split : {"train", "val", "test"}) {
    for (const std::string name : {"cat", "\u00c4pfel"})
      files.emplace_back(split + "/" + split + name + "/1.png", picture());
  }
  return files;
}

Files listed_files() {
  return {{"images/1.png", picture()},
          {"images/2.png", picture()},
          {"train.csv", text("filename,label\n1.png,a\n")},
          {"test.csv", text("filename,label\n.\\images\\2.png,b\n")}};
}

Files flat_files() {
  Files files;
  for (const std::string name : {"cat_1", "dog_1", "ant_1", "bee_1", "cow_1"})
    files.emplace_back(name + ".png", picture());
  return files;
}

Seeds archives() {
  Seeds seeds;
  const std::map<std::string, Files> all{
      {"split", split_files()}, {"listed", listed_files()}, {"flat", flat_files()}};
  for (const auto& set : all) {
    const std::string& name = set.first;
    const Files& files = set.second;
    seeds[name + ".zip"] = bytes_of([&](const fs::path& file) { write_zip(file, files); });
    seeds[name + ".stored.zip"] = bytes_of([&](const fs::path& file) { write_zip(file, files, false); });
    seeds[name + ".tar"] = bytes_of([&](const fs::path& file) { write_tar(file, files, Tar::kUstar); });
    seeds[name + ".tar.gz"] =
        bytes_of([&](const fs::path& file) { write_tar(file, files, Tar::kGnu, true); });
  }
  seeds["pax.tar"] = bytes_of([&](const fs::path& file) {
    write_tar(file, {{std::string(120, 'd') + "/" + std::string(120, 'f') + ".png", picture()}}, Tar::kPax);
  });
  const std::map<std::string, int (*)(archive*)> filters{{"bz2", archive_write_add_filter_bzip2},
                                                         {"xz", archive_write_add_filter_xz},
                                                         {"zst", archive_write_add_filter_zstd}};
  for (const auto& set : filters) {
    const auto filter = set.second;
    seeds["tar." + set.first] = bytes_of([&](const fs::path& file) {
      write_archive(file, flat_files(), [&](archive* tar) {
        archive_write_set_format_ustar(tar);
        filter(tar);
      });
    });
  }
  return seeds;
}

Seeds folders() {
  const std::string end(1, '\0');
  const auto entries = [&](const Files& files) {
    std::string all;
    for (const auto& [path, bytes] : files)
      all +=
          "f" + path + "\n" + (path.ends_with(".csv") ? std::string(bytes.begin(), bytes.end()) : "x") + end;
    return all;
  };
  return {{"split", text(entries(split_files()))},
          {"listed", text(entries(listed_files()))},
          {"flat", text(entries(flat_files()))},
          {"links", text("dtrain" + end + "dtrain/cat" + end + "ftrain/cat/1.png\nx" + end + "l" + "\x01" +
                         "test" + end + "l" + "\x09" + "train/cat/up" + end)}};
}

Seeds images() {
  Seeds seeds;
  const auto wave = [](int r, int c) { return r * c * 7 % 251; };
  for (const std::string format : {".png", ".jpg", ".webp", ".bmp", ".tiff"}) {
    const std::map<std::string, Bytes> both{{"grey", grey_image(9, 13, wave, format)},
                                            {"colour", colour_image(8, 8, {250, 120, 10}, format)}};
    uint8_t how = 0;
    for (const auto& [name, bytes] : both) {
      auto& seed = seeds[name + format] = bytes;
      seed.insert(seed.begin(), how);
      how = 129;  // grey, as stored
    }
  }
  return seeds;
}

void write_seeds(const fs::path& root) {
  const std::map<std::string, Seeds> all{{"archive", archives()},
                                         {"checkpoint", checkpoints()},
                                         {"configuration", configurations()},
                                         {"events", events()},
                                         {"folder", folders()},
                                         {"image", images()},
                                         {"labelled_files", labelled_files()},
                                         {"names", names()},
                                         {"options", options()},
                                         {"patterns", patterns()},
                                         {"points", points()},
                                         {"published", published()},
                                         {"suite", suites()},
                                         {"values", values()}};
  size_t count = 0;
  for (const auto& [target, seeds] : all) {
    for (const auto& [name, bytes] : seeds) write_bytes(root / target / name, bytes);
    count += seeds.size();
  }
  std::cout << count << " seeds for " << all.size() << " targets in " << root.string() << '\n';
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    require_usage(argc == 2, "usage: make_corpus FOLDER");
    write_seeds(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "make_corpus: " << error.what() << '\n';
    return 1;
  }
}
