// TensorBoard's event files, which a resumed training reads before it goes on: the records of a file, and,
// since a changed byte breaks their checksums, the bytes as one event.
#include <sstream>

#include "runners/experiment/event_message.h"
#include "runners/experiment/record_file.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = text_of(data, size);
  std::istringstream in(bytes);
  RecordReader reader(in);
  uint64_t before = 0;
  for (std::string record; reader.next(record); before = reader.end()) {
    claim(reader.end() == before + 16 + record.size() && reader.end() <= size, "a record ends elsewhere");
    claim(bytes.substr(before, reader.end() - before) == format_record(record), "a record changes");
    taken([&] { step_of_event(record); });
  }
  taken([&] { step_of_event(bytes); });
  return 0;
}
