// Words of commands that the program prints, to be pasted into a shell.
#pragma once

#include <string>

namespace innerloop {

// The text as one word of a POSIX shell: as it is where no character means anything to a shell, else in
// single quotes.
std::string shell_word(const std::string& text);

// The program as a word of the shell: as it was called where that was by a path ("build/release/innerloop"),
// so that a printed command works where it is pasted; else "innerloop".
std::string program_word();

}  // namespace innerloop
