#include "base/error.h"

#include "base/row.h"
#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("the nearest name is found across a slip of the keyboard", "[base][error]") {
  const std::vector<std::string> known{"seed", "threads", "inner.steps", "inner.step_size",
                                       "meta.iterations"};
  CHECK(nearest_name("sed", known) == "seed");
  CHECK(nearest_name("thraeds", known) == "threads");
  CHECK(nearest_name("inner.stepsize", known) == "inner.step_size");
  CHECK(nearest_name("inner.step", known) == "inner.steps");
  CHECK(nearest_name("seed", known) == "seed");
  CHECK(nearest_name("environment", known).empty());
  CHECK(nearest_name("anything", {}).empty());
}

TEST_CASE("a name half remembered leads to those that hold its letters", "[base][error]") {
  const std::vector<std::string> known{"navigation_2d", "half_cheetah_velocity_rllab",
                                       "half_cheetah_direction_gym"};
  CHECK(nearest_name("halfcheetah", known) == "half_cheetah_direction_gym");
  CHECK(nearest_name("HalfCheetah-velocity", known) == "half_cheetah_velocity_rllab");
  CHECK(nearest_name("ee", known).empty());
  CHECK(nearest_name(std::string(120000, '*'), known).empty());
  CHECK(unknown_name("name", std::string(120000, '*'), known).size() < 300);
}

TEST_CASE("an unknown name is answered with what exists", "[base][error]") {
  const std::vector<std::string> known{"tanh", "relu"};
  CHECK(unknown_name("activation", "tahn", known) ==
        "unknown activation 'tahn'; did you mean 'tanh'? known: tanh, relu");
  CHECK(unknown_name("activation", "swish-glu", known) ==
        "unknown activation 'swish-glu'; known: tanh, relu");
}

TEST_CASE("a requirement that holds is silent, one that fails says its parts", "[base][error]") {
  CHECK_NOTHROW(require(true, "never"));
  CHECK_THROWS_WITH(require(false, "task ", 3, " of ", 2.5), "task 3 of 2.5");
  CHECK_THROWS_AS(require(false, "x"), Error);
  CHECK_NOTHROW(require_usage(true, "never"));
  CHECK_THROWS_AS(require_usage(false, "x"), UsageError);
  try {
    require(false, "a failure of the work is not a mistake in the request");
  } catch (const UsageError&) {
    FAIL("require threw a UsageError");
  } catch (const Error&) {
  }
}

TEST_CASE("words are joined with what belongs between them", "[base][error]") {
  CHECK(join({}).empty());
  CHECK(join({"a"}) == "a");
  CHECK(join({"a", "b", "c"}) == "a, b, c");
  CHECK(join({"a", "b"}, "/") == "a/b");
}

TEST_CASE("what somebody gave is shown in one short line that no terminal obeys", "[error]") {
  CHECK(shortened("navigation_2d \u00e4 \\x") == "navigation_2d \u00e4 \\x");
  CHECK(shortened(std::string("a\x1b[2J\n\0\x7f", 8)) == "a\\x1B[2J\\x0A\\x00\\x7F");
  CHECK(shortened(std::string(100, 'a')) == std::string(100, 'a'));
  CHECK(shortened(std::string(101, 'a')) == std::string(100, 'a') + "...");
  CHECK(shortened(std::string(99, 'a') + "\u00e4b") == std::string(99, 'a') + "...");
  CHECK(shortened(std::string(200, '\x80')).size() == 99);
  CHECK_THROWS_WITH(find_named("thing", std::vector<NamedDescription>{{"a", ""}}, "\x03"),
                    contains("unknown thing '\\x03'"));
}
