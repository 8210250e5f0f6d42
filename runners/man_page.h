// Manual pages in roff, made of the commands' descriptions and of the keys they accept, as --help is.
#pragma once

#include <iosfwd>
#include <vector>

#include "runners/command_line.h"

namespace innerloop {

// innerloop.1: the program, its commands, its environment and its exit codes.
void print_man_page(std::ostream& out, const std::vector<CommandDescription>& commands);

// innerloop-NAME.1: one command.
void print_man_page(std::ostream& out, const CommandDescription& command);

}  // namespace innerloop
