// A differentiable map between parameter spaces. An algorithm may have two:
//   initialisation   meta-parameters [1, ...] -> phi_0 of each task [T, ...]
//   network          phi_k and the number k of inner steps taken -> what the network (or policy) reads, [T,
//   ...]
// Null means the identity, which costs nothing. Derivatives come from autograd unless the map gives them
// itself.
#pragma once

#include <functional>
#include <memory>

#include "meta/moment.h"
#include "meta/task.h"
#include "networks/tensors/loss_at.h"
#include "networks/tensors/params.h"

namespace innerloop {

class ParameterMap {
 public:
  // Where the map is applied. `part`: what the parameters are about to be used for.
  struct At {
    int64_t step = 0;
    int64_t tasks = 1;  // T
    Part part = Part::kSupport;
    Moment now = {};
  };

  virtual ~ParameterMap() = default;
  virtual Params operator()(const Params& p, const At& at) const = 0;  // in differentiable operations

  virtual Params pullback(const Params& p, const At& at, const Params& cotangent) const;     // J^T c, as p
  virtual Params pushforward(const Params& p, const At& at, const Params& direction) const;  // J d
  // d/de J(p + e d)^T c, as p; zero for a linear map.
  virtual Params pullback_tangent(const Params& p, const At& at, const Params& direction,
                                  const Params& cotangent) const;
};

// A linear map that only renames, drops, repeats or adds entries: its pullback's derivative is zero, and the
// pushforward is the map itself.
class LinearMap : public ParameterMap {
 public:
  Params pushforward(const Params& p, const At& at, const Params& direction) const override;
  Params pullback_tangent(const Params& p, const At& at, const Params& direction,
                          const Params& cotangent) const override;
};

// L(p) = loss(map(p)): gradient J^T g;  H d = J^T H J d + d/de J(p + e d)^T g.
std::unique_ptr<LossAt> mapped_loss(const ParameterMap& map, const ParameterMap::At& at, const Params& p,
                                    const std::function<std::unique_ptr<LossAt>(const Params&)>& loss);

// A task whose network reads map(phi): what the inner loop sees of it. Map and task must outlive it.
class MappedTask : public Task {
 public:
  MappedTask(const Task& task, const ParameterMap& map, const Moment& now)
      : task_(task), map_(map), now_(now) {}

  int64_t size() const override { return task_.size(); }
  torch::Tensor loss(Part part, const Params& params, int64_t step) const override;
  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override;
  torch::Tensor value(Part part, const Params& params, int64_t step) const override;

 private:
  ParameterMap::At at(Part part, int64_t step) const { return {step, task_.size(), part, now_}; }

  const Task& task_;
  const ParameterMap& map_;
  Moment now_;
};

}  // namespace innerloop
