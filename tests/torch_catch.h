// Torch and Catch2 in one file. Torch's logging defines CHECK and its relatives, whose failure ends the
// process instead of failing the test: torch must come first, its macros must go, then Catch2 defines its
// own.
#pragma once

// clang-format off
#include <torch/torch.h>
#undef CHECK
#undef CHECK_FALSE
#undef REQUIRE
#undef INFO
#undef WARN
#undef FAIL
#include "tests/catch.h"
// clang-format on
