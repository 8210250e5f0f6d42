#include "runners/experiment/shell.h"

#include <fstream>

namespace innerloop {

std::string shell_word(const std::string& text) {
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::string program_word() {
  std::string called;
  std::ifstream arguments("/proc/self/cmdline", std::ios::binary);
  std::getline(arguments, called, '\0');
  return called.find('/') == std::string::npos ? "innerloop" : shell_word(called);
}

}  // namespace innerloop
