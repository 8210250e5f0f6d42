// Names of files and classes: any bytes.
#include <nlohmann/json.hpp>

#include "datasets/archive.h"
#include "datasets/image_decode.h"
#include "datasets/image_layout.h"
#include "datasets/names.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string name = text_of(data, size);
  const std::string shown = printable(name), form = normal_form(name), quoted = in_quotes(name);
  nlohmann::json(shown).dump();  // throws unless it is UTF-8
  nlohmann::json(quoted).dump();
  claim(shown.find('\n') == shown.npos, "what is shown has two lines");
  claim(printable(shown) == shown, "what is printable is not shown as it is");
  claim(normal_form(form) == form, "a normal form has another one");
  claim(normal_form(lower_case(name)).size() == form.size(), "small letters are longer");
  claim(quoted.size() <= 4 * 80 + 5, "a name is not shortened");
  claim_readable(quoted);
  claim_readable(some_of({name.substr(0, 100), name.substr(0, 50)}));
  const auto parts = parts_of(name);
  claim(join(parts, "/") == name || parts.front().empty(), "a path is not its parts");
  if (const auto of = class_in_name(name)) claim(!of->empty() && name.starts_with(*of), "not its class");
  split_named(name);
  is_image_name(name);
  is_archive_name(name);
  return 0;
}
