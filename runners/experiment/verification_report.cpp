#include "runners/experiment/verification_report.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <optional>

#include "base/error.h"
#include "runners/drawing/plot.h"
#include "runners/experiment/evaluation_files.h"
#include "runners/experiment/json_values.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;
using Trials = std::vector<VerificationTrials>;

constexpr int64_t kReplicates = 1000;
constexpr size_t kMostOwnRows = 12, kMostOwnCurves = 5;

struct Verified {
  Trials trials;
  VerificationResult all;
  std::vector<VerificationResult> domains;  // where there are several
  std::optional<double> threshold, accuracy;
};

Verified verified(const SupervisedMetaLearner& learner, uint64_t seed, int64_t most_pairs) {
  Verified out{.trials = study_verification(learner, Split::kTest, seed, most_pairs),
               .all = {},
               .domains = {},
               .threshold = {},
               .accuracy = {}};
  out.all = verify(out.trials, kReplicates, seed);
  for (const auto& domain : out.trials) {
    if (out.trials.size() > 1) out.domains.push_back(verify({domain}, kReplicates, seed));
  }
  if (learner.dataset().classes(Split::kValidation) >= 2) {
    out.threshold = best_threshold(study_verification(learner, Split::kValidation, seed, most_pairs));
    out.accuracy = verification_accuracy(out.trials, *out.threshold);
  }
  return out;
}

// The figures of a result by name, in the order of tables and files.
template <class Visit>
void each_figure(const VerificationResult& of, const Visit& visit) {
  visit("rank1", "rank-1", of.value.rank1, of.low.rank1, of.high.rank1);
  for (size_t i = 0; i < kFalseAcceptRates.size(); ++i) {
    visit(concat("tar_at_", kFalseAcceptRates[i]), concat("TAR at ", kFalseAcceptRates[i]), of.value.tar[i],
          of.low.tar[i], of.high.tar[i]);
  }
  visit("auc", "AUC", of.value.auc, of.low.auc, of.high.auc);
  visit("eer", "EER", of.value.eer, of.low.eer, of.high.eer);
}

std::string percent_text(double value, int digits = 2) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << 100 * value;
  return out.str();
}

void print_verification(std::ostream& out, const Verified& of) {
  out << "\none gallery image and one probe of each of " << of.all.identities << " identities, "
      << of.all.genuine << " genuine and " << of.all.impostors << " impostor pairs within "
      << (of.trials.size() > 1 ? concat(of.trials.size(), " domains") : of.trials.front().domain) << '\n'
      << std::setw(16) << "%" << std::setw(10) << "value" << std::setw(20) << "95 % CI" << '\n';
  each_figure(of.all,
              [&](const std::string&, const std::string& label, double value, double low, double high) {
                out << std::setw(16) << label << std::setw(10) << percent_text(value) << std::setw(20)
                    << concat(percent_text(low), " .. ", percent_text(high)) << '\n';
              });
  if (of.accuracy) {
    out << std::setw(16) << "accuracy" << std::setw(10) << percent_text(*of.accuracy)
        << "   of pairs told right at the threshold that was best on validation classes, both kinds "
           "counting alike\n";
  }
  const double finest = 1 / static_cast<double>(of.all.impostors);
  if (finest > kFalseAcceptRates.back()) {
    out << "A false accept rate below " << concat(finest)
        << " is less than one of these pairs: TAR there is that of no false accept at all.\n";
  }
  if (of.domains.empty()) return;
  out << '\n' << std::setw(30) << "domain" << std::setw(12) << "identities";
  each_figure(of.all, [&](const std::string&, const std::string& label, double, double, double) {
    out << std::setw(15) << label;
  });
  out << '\n';
  for (size_t d = 0; d < std::min(of.domains.size(), kMostOwnRows); ++d) {
    out << std::setw(30) << of.trials[d].domain << std::setw(12) << of.domains[d].identities;
    each_figure(of.domains[d], [&](const std::string&, const std::string&, double value, double, double) {
      out << std::setw(15) << percent_text(value, 1);
    });
    out << '\n';
  }
  if (of.domains.size() > kMostOwnRows)
    out << "and " << of.domains.size() - kMostOwnRows << " more in verification.json\n";
}

void add_figures(ordered_json& out, const VerificationResult& of) {
  out["identities"] = of.identities;
  out["genuine"] = of.genuine;
  out["impostors"] = of.impostors;
  each_figure(of, [&](const std::string& name, const std::string&, double value, double low, double high) {
    out[name] = {{"value", value}, {"ci95", {low, high}}};
  });
}

std::string verification_json(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                              const SelectedCheckpoint& selected, const Overrides& overrides,
                              int64_t most_pairs, const Verified& of) {
  ordered_json out;
  out["study"] = "verification";
  out["dataset"] = learner.dataset().spec().name;
  out["data_digest"] = learner.dataset().digest();
  out["algorithm"] = config.algorithm();
  out["seed"] = config.supervised_evaluation.seed;
  out["overrides"] = overrides;
  out["batch_norm"] = learner.config().network.batch_norm;
  out["protocol"] = learner.dataset().spec().protocol;
  out["pairs"] = most_pairs;
  out["bootstrap"] = kReplicates;
  out["meta_iterations"] = selected.trained;
  out["selected_iteration"] = selected.iteration;
  out["threshold"] = or_null(of.threshold);
  out["accuracy"] = or_null(of.accuracy);
  add_figures(out["all"], of.all);
  out["domains"] = ordered_json::array();
  for (size_t d = 0; d < of.trials.size(); ++d) {
    ordered_json domain;
    domain["name"] = of.trials[d].domain;
    add_figures(domain, of.domains.empty() ? of.all : of.domains[d]);
    out["domains"].push_back(std::move(domain));
  }
  out["roc"] = ordered_json::array();
  for (const auto& point : roc_curve(of.trials))
    out["roc"].push_back({{"far", point.far}, {"tar", point.tar}});
  return out.dump(2) + "\n";
}

Curve roc(const std::string& label, const Trials& trials) {
  Curve out{.label = label, .x = {}, .y = {}};
  for (const auto& point : roc_curve(trials)) {
    if (point.far == 0) continue;
    out.x.push_back(point.far);
    out.y.push_back(100 * point.tar);
  }
  return out;
}

Plot roc_plot(const SupervisedMetaLearner& learner, const ExperimentConfig& config, const Verified& of) {
  Plot plot{.title = concat("Verification: ", learner.dataset().spec().name, ", ", config.algorithm()),
            .subtitle = concat(of.all.identities, " test identities, ", of.all.impostors,
                               " impostor pairs; equal error rate ", percent_text(of.all.value.eer),
                               " %, rank-1 ", percent_text(of.all.value.rank1), " %"),
            .x_label = "false accept rate",
            .y_label = "true accept rate, %",
            .log_x = true,
            .percent = true,
            .curves = {roc(of.trials.size() > 1 ? "all domains" : of.trials.front().domain, of.trials)}};
  for (size_t d = 0; d < of.domains.size() && of.domains.size() <= kMostOwnCurves; ++d)
    plot.curves.push_back(roc(of.trials[d].domain, {of.trials[d]}));
  Curve chance{.label = "chance", .x = plot.curves.front().x, .y = {}, .style = Curve::Style::kReference};
  for (const double far : chance.x) chance.y.push_back(100 * far);
  plot.curves.push_back(std::move(chance));
  return plot;
}

}  // namespace

void report_verification(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                         const RunDirectory& directory, const SelectedCheckpoint& selected,
                         int64_t most_pairs) {
  const auto found = verified(learner, config.supervised_evaluation.seed, most_pairs);
  print_verification(std::cout, found);
  const auto overrides = find_overrides(config, selected.trained_with);
  const std::string name = concat("verification_pairs=", most_pairs);
  keep_evaluation(directory, "verification", evaluation_name(name, config, overrides, selected.iteration),
                  verification_json(learner, config, selected, overrides, most_pairs, found));
  const Plot plot = roc_plot(learner, config, found);
  for (const char* picture : {"verification.png", "verification.svg"}) {
    const auto file = directory.results() / picture;
    write_plot(plot, file);
    std::cout << "wrote " << file.string() << std::endl;
  }
}

}  // namespace innerloop
