#include "meta/course.h"

namespace innerloop {

std::vector<std::string> held_entries(const Course& course, const Params& phi) {
  std::vector<std::string> out;
  for (const auto& entry : phi) {
    for (const auto& name : course.held) {
      if (entry.name == name || entry.name.rfind(name + ".", 0) == 0) {
        out.push_back(entry.name);
        break;
      }
    }
  }
  return out;
}

}  // namespace innerloop
