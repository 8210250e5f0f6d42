// The one error type. A message says what was asked, what was found, what is expected and the known names.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace innerloop {

// A failure of the work asked for; the program ends with exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A request that cannot be understood (unknown name, bad value); the program ends with exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw Error(concat(parts...));
}

template <class... Parts>
void require_usage(bool condition, const Parts&... parts) {
  if (!condition) throw UsageError(concat(parts...));
}

std::string join(const std::vector<std::string>& words, const std::string& separator = ", ");

// The text itself, or the beginning of a long one: what somebody gave, in a message.
std::string shortened(const std::string& text);

// "unknown KIND 'NAME'; did you mean 'NEAREST'? known: A, B, C" (the question only for a near miss).
std::string unknown_name(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known);

// The known name that `name` was meant to be, or "": the one with the smallest edit distance if one is near,
// else the nearest of those that hold all its letters in one piece ("halfcheetah":
// half_cheetah_velocity_gym).
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace innerloop
