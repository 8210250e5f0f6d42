// Points of a regression in CSV files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "networks/tensors/tensor.h"

namespace innerloop {

struct Points {
  torch::Tensor x;  // [1, N, inputs] float32
  torch::Tensor y;  // [1, N, outputs] float32; undefined if the file has none
};

// A row for each point, its inputs and then its outputs: "x,y". A first line without a number is a header.
// With `targets` the outputs must be there, without they may. Error that names the file (`name`) and the line
// for another number of columns, for a field that is no finite number, and for a file without a row.
Points parse_points(const std::string& text, const std::string& name, int64_t inputs, int64_t outputs,
                    bool targets);
Points read_points(const std::string& file, int64_t inputs, int64_t outputs, bool targets);

// "x,y" ("x1,x2,y" of several inputs) and a row for each point, 9 digits. x [1, N, inputs], y [1, N,
// outputs].
std::string points_csv(const torch::Tensor& x, const torch::Tensor& y);

}  // namespace innerloop
