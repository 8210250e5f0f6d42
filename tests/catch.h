// Catch2 2.13 or 3, spelled one way: TEST_CASE, CHECK, REQUIRE_THROWS_WITH, GENERATE, Approx, from_range,
// values, range, contains, StartsWith and EndsWith need no namespace; tests/catch_spelling_test.cmake refuses
// what only one version spells so. Files that use torch include tests/torch_catch.h.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#if __has_include(<catch2/catch_all.hpp>)
using Catch::Approx;
using Catch::Generators::from_range;
using Catch::Generators::range;
using Catch::Generators::values;
// Version 3 renamed the matcher of a substring, which version 2 called Contains.
inline auto contains(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
#else
using Catch::Generators::from_range;
using Catch::Generators::range;
using Catch::Generators::values;
inline auto contains(const std::string& part) { return Catch::Matchers::Contains(part); }
#endif
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

// Of the test case that runs: one function can be registered (REGISTER_TEST_CASE) under several names.
inline std::string current_test_name() {
  return static_cast<std::string>(Catch::getResultCapture().getCurrentTestName());
}
