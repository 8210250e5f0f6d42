#include "networks/tensors/params.h"

#include "base/error.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

Params two_tasks() {
  return Params({{"weight", torch::arange(12, torch::kFloat32).view({2, 2, 3})},
                 {"bias", torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}})}});
}

TEST_CASE("parameters are found by name, and an unknown name lists the known ones", "[params]") {
  const auto params = two_tasks();
  CHECK(params.size() == 2);
  CHECK(params.name(1) == "bias");
  CHECK(params.at("bias").equal(params[1]));
  CHECK(params.contains("weight"));
  CHECK(!params.contains("weigth"));
  CHECK_THROWS_WITH(params.at("weigth"), contains("unknown parameter 'weigth'") && contains("weight, bias"));
  CHECK_THROWS_WITH(Params({{"a", {}}, {"a", {}}}), contains("'a' appears twice"));
}

TEST_CASE("tasks, entries of a slice and dtype, an empty list has none", "[params]") {
  CHECK(two_tasks().tasks() == 2);
  CHECK(two_tasks().numel() == 8);
  CHECK(two_tasks().dtype() == torch::kFloat32);
  CHECK(Params().empty());
  CHECK(Params().numel() == 0);
  CHECK_THROWS_AS(Params().tasks(), Error);
  CHECK_THROWS_AS(Params().dtype(), Error);
}

TEST_CASE("flatten and unflatten are inverse, in the order of the entries", "[params]") {
  const auto params = two_tasks().slice(1);
  const auto vector = flatten(params);
  CHECK(vector.equal(torch::tensor({6.0F, 7.0F, 8.0F, 9.0F, 10.0F, 11.0F, 3.0F, 4.0F})));
  CHECK(identical(unflatten(vector, params), params));
  CHECK_THROWS_WITH(flatten(two_tasks()), contains("2 tasks, expected 1"));
  CHECK_THROWS_WITH(unflatten(vector.slice(0, 1), params), contains("7 entries, expected 8"));
}

TEST_CASE("select keeps the order of the list and refuses unknown names", "[params]") {
  CHECK(two_tasks().select({"bias", "weight"}).names() == std::vector<std::string>{"weight", "bias"});
  CHECK(two_tasks().select({"bias"}).names() == std::vector<std::string>{"bias"});
  CHECK_THROWS_AS(two_tasks().select({"none"}), Error);
}

TEST_CASE("joined holds both lists' entries and refuses a name they share", "[params]") {
  const Params more({{"log_std", torch::zeros({2, 1})}});
  CHECK(two_tasks().joined(more).names() == std::vector<std::string>{"weight", "bias", "log_std"});
  CHECK_THROWS_AS(two_tasks().joined(two_tasks()), Error);
}

TEST_CASE("expanded shows one task's storage T times, its transpose is the sum over tasks", "[params]") {
  const auto one = two_tasks().slice(0);
  const auto many = one.expanded(3);
  CHECK(many.tasks() == 3);
  CHECK(many.numel() == one.numel());
  CHECK(many[0].data_ptr() == one[0].data_ptr());
  CHECK(identical(many.slice(2), one));
  CHECK(identical(many.sum_over_tasks(), 3 * one));
  CHECK(identical(one.sum_over_tasks(), one));
}

TEST_CASE("sums, differences and multiples go entry by entry and need the same names", "[params]") {
  const auto params = two_tasks();
  CHECK(identical(params + params, 2 * params));
  CHECK(identical(3 * params - params, params + params));
  CHECK_THROWS_WITH(params + params.select({"bias"}), contains("names differ"));
  CHECK_THROWS_WITH(params.with({torch::zeros({1})}), contains("1 values for 2 names"));
}

TEST_CASE("detached shares storage, cloned does not, leaves are new starting points", "[params]") {
  const auto leaves = two_tasks().as_leaves();
  CHECK(leaves[0].requires_grad());
  const auto derived = 2 * leaves;
  CHECK(!derived.detached()[0].requires_grad());
  CHECK(derived.detached()[0].data_ptr() == derived[0].data_ptr());
  CHECK(derived.cloned()[0].data_ptr() != derived[0].data_ptr());
  CHECK(!derived.cloned()[0].requires_grad());
  CHECK(derived.as_leaves()[0].is_leaf());
  CHECK(!two_tasks()[0].requires_grad());
  CHECK(identical(leaves.zeros_like(), 0.0 * two_tasks()));
}

TEST_CASE("identical asks for the same names, shapes, dtypes and bits", "[params]") {
  const auto params = two_tasks();
  CHECK(identical(params, params.cloned()));
  auto other = params.cloned();
  other[1][0][0] = 1.0000001F;
  CHECK(!identical(params, other));
  CHECK(!identical(params, params.to(torch::kFloat64)));
  CHECK(!identical(params, params.select({"bias"})));
  CHECK(!identical(params, params.slice(0)));
  CHECK(!identical(0.0 * params, -0.0 * params));  // zeros of different sign
}

TEST_CASE("all_finite sees one infinity or NaN", "[params]") {
  CHECK(all_finite(two_tasks()));
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    const auto params = two_tasks();
    params[1][1][1] = bad;
    CHECK(!all_finite(params));
  }
}

}  // namespace
}  // namespace innerloop
