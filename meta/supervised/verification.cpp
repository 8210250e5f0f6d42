#include "meta/supervised/verification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "base/permutation.h"

namespace innerloop {
namespace {

// A pair of either kind; of a genuine one gallery = probe.
struct Trial {
  float similarity;
  int32_t domain, gallery, probe;
  bool genuine() const { return gallery == probe; }
};

std::vector<Trial> sorted_trials(const std::vector<VerificationTrials>& domains) {
  std::vector<Trial> out;
  for (size_t d = 0; d < domains.size(); ++d) {
    const auto domain = static_cast<int32_t>(d);
    for (size_t i = 0; i < domains[d].genuine.size(); ++i) {
      const auto identity = static_cast<int32_t>(i);
      out.push_back({domains[d].genuine[i], domain, identity, identity});
    }
    for (const auto& pair : domains[d].impostors)
      out.push_back({pair.similarity, domain, pair.gallery, pair.probe});
  }
  require(!out.empty(), "verification of no pairs");
  for (const auto& trial : out)
    require(std::isfinite(trial.similarity), "verification: a similarity is not finite");
  std::sort(out.begin(), out.end(), [](const Trial& a, const Trial& b) {
    if (a.similarity != b.similarity) return a.similarity > b.similarity;
    return std::tie(a.domain, a.probe, a.gallery) < std::tie(b.domain, b.probe, b.gallery);
  });
  return out;
}

using Weights = std::vector<std::vector<double>>;  // of each identity of each domain

Weights equal_weights(const std::vector<VerificationTrials>& domains) {
  Weights out;
  for (const auto& domain : domains) out.emplace_back(domain.genuine.size(), 1.0);
  return out;
}

// Visits the thresholds downwards, after each group of pairs of one similarity: the weight of genuine and
// impostor pairs at or above it, and in it.
template <class Visit>
void sweep(const std::vector<Trial>& trials, const Weights& weights, const Visit& visit) {
  double genuine = 0, impostor = 0;
  for (size_t i = 0; i < trials.size();) {
    const float similarity = trials[i].similarity;
    double own_genuine = 0, own_impostor = 0;
    for (; i < trials.size() && trials[i].similarity == similarity; ++i) {
      const auto& of = weights[static_cast<size_t>(trials[i].domain)];
      const double weight = of[static_cast<size_t>(trials[i].probe)];
      if (trials[i].genuine()) {
        own_genuine += weight;
      } else {
        own_impostor += weight * of[static_cast<size_t>(trials[i].gallery)];
      }
    }
    genuine += own_genuine;
    impostor += own_impostor;
    const float next = i < trials.size() ? trials[i].similarity : -std::numeric_limits<float>::infinity();
    visit(genuine, impostor, own_genuine, own_impostor, similarity, next);
  }
}

struct Totals {
  double genuine = 0, impostor = 0;
};

Totals totals_of(const std::vector<Trial>& trials, const Weights& weights) {
  Totals out;
  sweep(trials, weights, [&](double genuine, double impostor, double, double, float, float) {
    out = {genuine, impostor};
  });
  return out;
}

VerificationFigures figures_of(const std::vector<VerificationTrials>& domains,
                               const std::vector<Trial>& trials, const Weights& weights) {
  VerificationFigures out;
  double ranked = 0, probes = 0;
  for (size_t d = 0; d < domains.size(); ++d) {
    for (size_t i = 0; i < domains[d].rank1.size(); ++i) {
      ranked += weights[d][i] * domains[d].rank1[i];
      probes += weights[d][i];
    }
  }
  out.rank1 = ranked / probes;
  // An impostor's weight may be 0 in all of a resample: no figure is then made of nothing.
  const Totals all = totals_of(trials, weights);
  const double impostors = std::max(all.impostor, 1e-300);
  double area = 0, last_far = 0, last_miss = 1;
  bool crossed = false;
  sweep(trials, weights,
        [&](double genuine, double impostor, double own_genuine, double own_impostor, float, float) {
          const double tar = genuine / all.genuine, far = impostor / impostors;
          for (size_t f = 0; f < kFalseAcceptRates.size(); ++f) {
            // A count of pairs is no whole number after division: allow its last bits.
            if (far <= kFalseAcceptRates[f] * (1 + 1e-12)) out.tar[f] = tar;
          }
          area += own_impostor * (genuine - own_genuine / 2);
          const double miss = 1 - tar;
          if (!crossed && far >= miss) {
            const double before = last_miss - last_far, after = far - miss;
            const double share = before + after > 0 ? before / (before + after) : 0;
            out.eer = last_far + share * (far - last_far);
            crossed = true;
          }
          last_far = far;
          last_miss = miss;
        });
  out.auc = area / (all.genuine * impostors);
  return out;
}

// Draws as many identities as there are, with replacement, in each domain.
Weights resampled(const std::vector<VerificationTrials>& domains, uint64_t seed, int64_t replicate) {
  Weights out;
  for (size_t d = 0; d < domains.size(); ++d) {
    const auto count = static_cast<uint64_t>(domains[d].genuine.size());
    Stream stream(StreamKey{.seed = seed,
                            .purpose = Purpose::kBootstrap,
                            .iteration = static_cast<uint64_t>(replicate),
                            .task = static_cast<uint64_t>(d)});
    std::vector<double> weights(count, 0);
    for (uint64_t i = 0; i < count; ++i) weights[stream.below(count)] += 1;
    out.push_back(std::move(weights));
  }
  return out;
}

// Between the order statistics about it.
double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

void set_ends(const std::vector<VerificationFigures>& found, VerificationResult& out) {
  const auto ends = [&](const auto& of) {
    std::vector<double> values;
    for (const auto& figures : found) values.push_back(of(figures));
    of(out.low) = percentile(values, 0.025);
    of(out.high) = percentile(values, 0.975);
  };
  ends([](auto& f) -> auto& { return f.rank1; });
  for (size_t i = 0; i < kFalseAcceptRates.size(); ++i) ends([i](auto& f) -> auto& { return f.tar[i]; });
  ends([](auto& f) -> auto& { return f.auc; });
  ends([](auto& f) -> auto& { return f.eer; });
}

}  // namespace

VerificationTrials verification_trials(int64_t identities,
                                       const std::function<const float*(int64_t probe)>& row, int64_t most,
                                       Stream& stream) {
  require(identities >= 2, "verification of ", identities, " identities, expected 2 or more");
  const int64_t others = identities - 1;
  const int64_t each = identities * others <= most ? others : std::max<int64_t>(1, most / identities);
  VerificationTrials out;
  for (int64_t probe = 0; probe < identities; ++probe) {
    const float* similarity = row(probe);
    const float own = similarity[probe];
    int64_t likest = 0;
    bool best = true;
    for (int64_t gallery = 0; gallery < identities; ++gallery) {
      best = best && similarity[gallery] <= own;
      likest += similarity[gallery] == own ? 1 : 0;
    }
    out.genuine.push_back(own);
    out.rank1.push_back(best ? 1 / static_cast<double>(likest) : 0);
    Permutation choice(others, stream);
    for (int64_t k = 0; k < each; ++k) {
      const int64_t place = each == others ? k : choice.next();
      const int64_t gallery = place + (place >= probe ? 1 : 0);
      out.impostors.push_back(
          {similarity[gallery], static_cast<int32_t>(gallery), static_cast<int32_t>(probe)});
    }
  }
  return out;
}

VerificationResult verify(const std::vector<VerificationTrials>& domains, int64_t replicates, uint64_t seed) {
  const auto trials = sorted_trials(domains);
  VerificationResult out{.value = figures_of(domains, trials, equal_weights(domains)), .low = {}, .high = {}};
  for (const auto& domain : domains) {
    out.identities += domain.identities();
    out.genuine += domain.identities();
    out.impostors += static_cast<int64_t>(domain.impostors.size());
  }
  out.low = out.high = out.value;
  if (replicates == 0) return out;
  std::vector<VerificationFigures> found;
  for (int64_t replicate = 0; replicate < replicates; ++replicate)
    found.push_back(figures_of(domains, trials, resampled(domains, seed, replicate)));
  set_ends(found, out);
  return out;
}

std::vector<RocPoint> roc_curve(const std::vector<VerificationTrials>& domains, size_t most) {
  const auto trials = sorted_trials(domains);
  const Weights weights = equal_weights(domains);
  const Totals all = totals_of(trials, weights);
  std::vector<RocPoint> every{{0, 0}};
  sweep(trials, weights, [&](double genuine, double impostor, double, double, float, float) {
    const RocPoint point{impostor / all.impostor, genuine / all.genuine};
    if (every.back().far == point.far) {
      every.back() = point;
    } else {
      every.push_back(point);
    }
  });
  if (every.size() <= most) return every;
  std::vector<RocPoint> out;
  const double first = std::log(every[1].far), step = -first / static_cast<double>(most);
  double next = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < every.size(); ++i) {
    const double place = every[i].far > 0 ? std::log(every[i].far) : next;
    if (place < next && i + 1 < every.size()) continue;
    out.push_back(every[i]);
    if (every[i].far > 0) next = place + step;
  }
  return out;
}

double verification_accuracy(const std::vector<VerificationTrials>& domains, double threshold) {
  double genuine = 0, accepted = 0, impostors = 0, refused = 0;
  for (const auto& domain : domains) {
    for (const float similarity : domain.genuine) {
      ++genuine;
      accepted += similarity >= threshold ? 1 : 0;
    }
    for (const auto& pair : domain.impostors) {
      ++impostors;
      refused += pair.similarity < threshold ? 1 : 0;
    }
  }
  return (accepted / genuine + refused / impostors) / 2;
}

double best_threshold(const std::vector<VerificationTrials>& domains) {
  const auto trials = sorted_trials(domains);
  const Weights weights = equal_weights(domains);
  const Totals all = totals_of(trials, weights);
  double best = -1, threshold = 0;
  sweep(trials, weights, [&](double genuine, double impostor, double, double, float similarity, float next) {
    const double gain = genuine / all.genuine - impostor / all.impostor;
    if (gain <= best) return;
    best = gain;
    threshold = std::isfinite(next) ? (static_cast<double>(similarity) + next) / 2 : similarity;
  });
  return threshold;
}

}  // namespace innerloop
