// Claims about the page: what it holds, and that a browser shows it.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <regex>

#include "runners/reports/html.h"
#include "runners/reports/report.h"
#include "tests/catch.h"
#include "tests/runners/program.h"
#include "tests/runners/reports/made_run.h"

using namespace innerloop;

namespace {

// Two algorithms, three seeds each, two problems; a label that HTML would misread.
std::vector<std::filesystem::path> make_runs(const TemporaryFolder& folder) {
  std::vector<std::filesystem::path> runs;
  for (const std::string algorithm : {"maml", "anil"}) {
    for (const std::string shots : {"1", "5"}) {
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        MadeRun run{.algorithm = algorithm, .seed = seed, .more = {{"dataset.shots", shots}}};
        for (int t = 0; t < 30; ++t) {
          const double noise =
              0.013 * ((7 * t + 3 * static_cast<int>(seed) + static_cast<int>(algorithm.size() * 5)) % 11);
          run.tasks.push_back({0.2 + noise, 0.5 + noise, 0.6 + noise + (shots == "5" ? 0.1 : 0)});
        }
        runs.push_back(make_run(folder / ("<" + algorithm + ">" + shots + "_" + std::to_string(seed)), run));
      }
    }
  }
  return runs;
}

std::string find_browser() {
  if (const char* chosen = std::getenv("INNERLOOP_BROWSER")) return chosen;
  for (const std::string name :
       {"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}) {
    if (std::system(("command -v " + name + " > /dev/null").c_str()) == 0) return name;
  }
  return "";
}

// What the page says of itself in a window of this width: a copy of it with a script stands in a frame, for
// browsers have windows no narrower than 500 pixels.
nlohmann::json seen_by_browser(const std::string& browser, const TemporaryFolder& folder,
                               const std::filesystem::path& page, int width) {
  std::string copy = read_file(page);
  const std::string script = R"(<script>addEventListener('load', async () => {
    const films = [...document.querySelectorAll('video')];
    await Promise.all(films.map(f => new Promise(done => {
      if (f.readyState > 0 || f.error) done();
      f.onloadedmetadata = f.onerror = done; setTimeout(done, 4000); f.load(); })));
    parent.postMessage(JSON.stringify({
      width: innerWidth, content: document.documentElement.scrollWidth,
      images: document.images.length,
      broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0).length,
      films: films.length, title: document.title, headings: document.querySelectorAll('h2').length,
      fetched: performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'))}), '*');
  });</script>)";
  copy.insert(copy.rfind("</body>"), script);
  write_file(folder / "copy.html", copy);
  write_file(
      folder / "frame.html",
      concat("<!DOCTYPE html><body><script>onmessage = e => document.body.append('SEEN' + "
             "btoa(unescape(encodeURIComponent(e.data))) + 'END')</script><iframe src=\"copy.html\" width=\"",
             width, "\" height=\"800\" style=\"border:0\"></iframe></body>"));
  const auto out = folder / "dom.html";
  const std::string command =
      concat("timeout 100 '", browser,
             "' --headless --no-sandbox --disable-gpu --virtual-time-budget=20000 "
             "--user-data-dir='",
             (folder / "profile").string(), "' --window-size=1400,900 --dump-dom 'file://",
             (folder / "frame.html").string(), "' > '", out.string(), "' 2> /dev/null");
  REQUIRE(std::system(command.c_str()) == 0);
  const std::string dom = read_file(out);
  std::smatch found;
  REQUIRE(std::regex_search(dom, found, std::regex("SEEN([A-Za-z0-9+/=]+)END")));
  const std::string encoded = found[1];
  std::string text;
  unsigned bits = 0;
  int held = 0;
  for (const char c : encoded) {
    const size_t digit =
        std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8) text += static_cast<char>(bits >> (held -= 8) & 255);
  }
  return nlohmann::json::parse(text);
}

}  // namespace

TEST_CASE("text in HTML stays text, and base64 is that of RFC 4648", "[report]") {
  CHECK(html_text("<b a='1'>\"&") == "&lt;b a=&#39;1&#39;&gt;&quot;&amp;");
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string("\xff\xfe\x00", 3)) == "//4A");
}

TEST_CASE("a report is a page without references, its pictures as PNG and SVG, and its numbers", "[report]") {
  const TemporaryFolder folder;
  const auto runs = make_runs(folder);
  const auto out = folder / "out";
  const auto written =
      write_report({.runs = runs, .out = out, .title = "A & B", .command = "innerloop report ..."});
  for (const auto& file : written) {
    CAPTURE(file.string());
    CHECK(std::filesystem::file_size(file) > 0);
    if (file.extension() == ".png") CHECK(cv::imread(file.string()).cols == 1000);
    if (file.extension() == ".svg") CHECK_THAT(read_file(file), contains("<svg") && contains("</svg>"));
  }
  CHECK(written.size() == 3 + 2 * 9);  // four pictures for each of two problems, and the profile over both
  const std::string page = read_file(out / "report.html");
  const std::regex image("<img ");
  CHECK(std::distance(std::sregex_iterator(page.begin(), page.end(), image), {}) == 9);
  CHECK(!std::regex_search(page, std::regex("(src|href)=\"(?!data:|#)")));
  CHECK(!std::regex_search(page, std::regex("url\\(|@import|<script")));
  CHECK_THAT(page, contains("<title>A &amp; B</title>") && contains("3 seeds") && !contains("<maml>"));
  CHECK_THAT(page, contains("All 2 problems") && contains("In what the configurations differ"));
  const std::string again = read_file(out / "report.json");
  write_report({.runs = runs, .out = out, .title = "A & B", .command = "innerloop report ..."});
  CHECK(read_file(out / "report.html") == page);
  CHECK(read_file(out / "report.json") == again);
}

TEST_CASE("one seed is called one seed, and a run without an evaluation is there", "[report]") {
  const TemporaryFolder folder;
  const auto run = make_run(folder / "run", {});
  write_report({.runs = {run}, .out = folder / "out"});
  CHECK_THAT(read_file(folder / "out" / "report.html"),
             contains("not evaluated yet") && contains("300 of 300"));
  const auto tested = make_run(folder / "tested", {.tasks = {{0.2, 0.4}, {0.3, 0.5}}});
  write_report({.runs = {tested}, .out = folder / "out2"});
  CHECK_THAT(read_file(folder / "out2" / "report.html"),
             contains("one seed") && contains("nothing of other seeds") &&
                 contains("with replacement and may share samples"));
  const auto apart = make_run(folder / "apart", {.tasks = {{0.2, 0.4}, {0.3, 0.5}}, .replacement = false});
  write_report({.runs = {apart}, .out = folder / "out3"});
  CHECK_THAT(read_file(folder / "out3" / "report.html"),
             contains("Tasks share no sample") && !contains("may share samples"));
  CHECK_THAT(read_file(folder / "out3" / "report.json"), contains("\"tasks_share_samples\": false"));
}

TEST_CASE("a report that cannot be made writes nothing", "[report]") {
  const TemporaryFolder folder;
  const auto run = make_run(folder / "run", {});
  CHECK_THROWS(write_report({.runs = {run, folder / "missing"}, .out = folder / "out"}));
  CHECK_THROWS(write_report({.runs = {run, run}, .out = folder / "out"}));
  CHECK_THROWS(write_report({.runs = {run}, .out = folder / "out", .baseline = "nobody"}));
  CHECK(!std::filesystem::exists(folder / "out"));
}

TEST_CASE("a browser shows the report at the widths of a phone and of a desk", "[report]") {
  const std::string browser = find_browser();
  if (browser.empty()) {
    WARN("not opened in a browser: there is no chromium (or $INNERLOOP_BROWSER)");
    return;
  }
  const TemporaryFolder folder;
  const auto out = folder / "out";
  write_report({.runs = make_runs(folder), .out = out, .title = "Seen"});
  for (const int width : {390, 1280}) {
    const auto seen = seen_by_browser(browser, folder, out / "report.html", width);
    CAPTURE(seen.dump());
    CHECK(seen["title"] == "Seen");
    CHECK(seen["width"] == width);
    CHECK(seen["content"] <= width);  // nothing sticks out sideways
    CHECK(seen["images"] == 9);
    CHECK(seen["broken"] == 0);
    CHECK(seen["headings"] == 4);
    CHECK(seen["fetched"].empty());
  }
}

TEST_CASE("report explains itself and its errors end with exit code 2", "[program]") {
  const auto help = run_program({"report", "--help"});
  CHECK(help.code == 0);
  CHECK_THAT(help.output, contains("RUN...") && contains("--out DIR") && contains("interquartile mean"));
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"report"}, "no run given"},
      {{"report", "a"}, "--out is missing"},
      {{"report", "a", "--out", "b", "--evaluation", "benhc"}, "expected bench or adapt"},
      {{"report", "a", "--outt", "b"}, "did you mean '--out'?"}};
  for (const auto& [words, expected] : cases) {
    const auto outcome = run_program(words);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.output, contains(expected));
  }
  const auto missing = run_program({"report", "/nonexistent_run", "--out", "/nonexistent_out"});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.output, contains("is no run directory"));
}
