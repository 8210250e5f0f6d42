// The update rule of the inner loop: how a gradient changes the adapted parameters.
//
// A rule is written once, as a differentiable function; its derivatives come from autograd unless it gives
// them itself. `phi` and `gradient` hold the adapted entries only, [T, ...]; `rule` holds the rule's own
// meta-parameters, [1, ...]; `state` is what the rule remembers from step to step of one adaptation, [T,
// ...].
#pragma once

#include <memory>

#include "base/random.h"
#include "meta/moment.h"
#include "networks/tensors/params.h"

namespace innerloop {

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  // The rule's meta-parameters, named "inner.*", for the adapted entries [1, ...] and the number of inner
  // steps in training; what starts at random is drawn from `stream`. None by default.
  virtual Params meta_parameters(const Params& adapted, int64_t steps, Stream& stream) const;

  // The state before the first step; none by default.
  virtual Params initial_state(const Params& rule, const Params& phi) const;

  // The step size where it is one number for all entries and steps (a result names it); NaN where it is
  // learned.
  virtual double step_size() const;

  struct In {
    const Params& rule;
    const Params& phi;
    const Params& gradient;
    const Params& state;
    const torch::Tensor& loss;  // [T], the support loss at phi
    int64_t step;               // inner steps taken before
    double scale;               // multiplies the step (evaluation protocols halve later steps)
    Moment now = {};
  };
  struct Out {
    Params phi;
    Params state;
  };
  // phi_{k+1} and the state after it, in differentiable LibTorch operations.
  virtual Out update(const In& in) const = 0;

  // Cotangents on the outcome -> cotangents on the arguments; `out.state` is empty where nothing depends on
  // it.
  struct Cotangents {
    Params rule;         // [1, ...], summed over tasks
    Params phi;          // [T, ...]
    Params gradient;     // [T, ...]
    Params state;        // [T, ...]
    torch::Tensor loss;  // [T]; undefined: none
  };
  virtual Cotangents pullback(const In& in, const Out& out) const;

  // Directions along the arguments -> directions of the outcome.
  struct Tangents {
    Params rule, phi, gradient, state;  // shapes as the arguments
    torch::Tensor loss;                 // [T]
  };
  virtual Out pushforward(const In& in, const Tangents& direction) const;
};

// phi - alpha g (Finn et al. 2017, eq. 1).
class FixedStep : public UpdateRule {
 public:
  explicit FixedStep(double step_size);  // UsageError unless it is a positive number
  double step_size() const override { return alpha_; }
  Out update(const In& in) const override;
  Cotangents pullback(const In& in, const Out& out) const override;
  Out pushforward(const In& in, const Tangents& direction) const override;

 private:
  double alpha_;
};

}  // namespace innerloop
