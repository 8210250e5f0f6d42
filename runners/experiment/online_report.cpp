#include "runners/experiment/online_report.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/plot.h"
#include "runners/experiment/json_values.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/statistics.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {
namespace {

using nlohmann::ordered_json;
constexpr int64_t kSmoothed = 8;  // rounds that a line of the picture is the mean of

struct Found {
  std::string learner;
  std::vector<OnlineRound> rounds;
  const std::vector<double>* metrics = nullptr;  // after each batch
};

std::vector<double> proficiencies(const Found& found, size_t from = 0) {
  std::vector<double> values;
  for (size_t r = from; r < found.rounds.size(); ++r) values.push_back(found.rounds[r].proficiency);
  return values;
}

std::vector<double> samples_needed(const Found& found, size_t from = 0) {
  std::vector<double> values;
  for (size_t r = from; r < found.rounds.size(); ++r)
    values.push_back(static_cast<double>(found.rounds[r].samples));
  return values;
}

// "93.5 %" or "0.0123"; "160" or "all" where the level was not reached.
std::string proficiency_text(double value, bool accuracy) {
  std::ostringstream text;
  if (accuracy) {
    text << std::fixed << std::setprecision(1) << 100 * value << " %";
  } else {
    text << std::setprecision(3) << value;
  }
  return text.str();
}

std::string needed_text(const OnlineRound& round) { return round.reached ? concat(round.samples) : "all"; }

std::string padded(const std::string& text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

void print_table(std::ostream& out, const std::vector<Found>& all, const OnlineJob& job,
                 const ExperimentConfig& config) {
  constexpr size_t kWidth = 17;
  const bool accuracy = job.classifies();
  const size_t rounds = all.front().rounds.size();
  size_t name = 4;
  for (size_t r = 0; r < rounds; ++r)
    name = std::max(name, job.stream().task_name(static_cast<int64_t>(r)).size());
  const auto task = [&](const std::string& text) { return text + std::string(name + 2 - text.size(), ' '); };
  out << metric_name(accuracy) << " once all data of a round have come, and the samples needed until "
      << (accuracy ? "accuracy >= " : "mse <= ") << config.online.level << " (of "
      << job.stream().samples(config.online.batches) << ")\n\nround  " << task("task");
  for (const auto& found : all) out << padded(found.learner, kWidth);
  out << '\n';
  for (size_t r = 0; r < rounds; ++r) {
    out << std::setw(5) << r + 1 << "  " << task(job.stream().task_name(static_cast<int64_t>(r)));
    for (const auto& found : all) {
      out << padded(
          proficiency_text(found.rounds[r].proficiency, accuracy) + padded(needed_text(found.rounds[r]), 6),
          kWidth);
    }
    out << '\n';
  }
  const auto line = [&](const std::string& label, size_t from) {
    out << std::string(5, ' ') << "  " << task(label);
    for (const auto& found : all) {
      const double mean = mean_statistics(proficiencies(found, from)).mean;
      std::ostringstream needed;
      needed << std::fixed << std::setprecision(0) << mean_statistics(samples_needed(found, from)).mean;
      out << padded(proficiency_text(mean, accuracy) + padded(needed.str(), 6), kWidth);
    }
    out << '\n';
  };
  line("mean", 0);
  if (rounds >= 4) line("2nd half", rounds / 2);
}

ordered_json summary_json(const Found& found, size_t from, const std::string& metric) {
  const auto proficiency = mean_statistics(proficiencies(found, from));
  const auto needed = mean_statistics(samples_needed(found, from));
  int64_t reached = 0;
  for (size_t r = from; r < found.rounds.size(); ++r) reached += found.rounds[r].reached ? 1 : 0;
  return {{"rounds", found.rounds.size() - from},        {metric + "_mean", proficiency.mean},
          {metric + "_ci95", or_null(proficiency.ci95)}, {"samples_mean", needed.mean},
          {"samples_ci95", or_null(needed.ci95)},        {"reached", reached}};
}

std::string json_text(const std::vector<Found>& all, const OnlineJob& job, const ExperimentConfig& config) {
  const auto& o = config.online;
  const std::string metric = metric_name(job.classifies());
  ordered_json out;
  out["dataset"] = config.tasks();
  out["data_digest"] = job.data_digest();
  out["algorithm"] = config.algorithm();
  out["seed"] = config.meta().seed;
  out["rounds"] = o.rounds;
  out["batches"] = o.batches;
  out["samples_per_batch"] = job.stream().samples(1);
  out["updates_per_batch"] = o.steps;
  out["level"] = o.level;
  out["metric"] = metric;
  for (const auto& found : all) {
    auto& one = out["learners"][found.learner];
    one["all_rounds"] = summary_json(found, 0, metric);
    one["second_half"] = summary_json(found, found.rounds.size() / 2, metric);
  }
  out["by_round"] = ordered_json::array();
  for (size_t r = 0; r < all.front().rounds.size(); ++r) {
    ordered_json round{{"round", r + 1}, {"task", job.stream().task_name(static_cast<int64_t>(r))}};
    for (const auto& found : all) {
      const auto first = found.metrics->begin() + static_cast<std::ptrdiff_t>(r) * o.batches;
      const auto& result = found.rounds[r];
      round[found.learner] = {{metric, result.proficiency},
                              {"samples", result.samples},
                              {"reached", result.reached},
                              {metric + "_after_batch", std::vector<double>(first, first + o.batches)}};
    }
    out["by_round"].push_back(std::move(round));
  }
  return out.dump(2) + "\n";
}

std::string csv_text(const std::vector<Found>& all, const OnlineJob& job) {
  std::string text = concat("round,task,learner,", metric_name(job.classifies()), ",samples,reached\n");
  for (size_t r = 0; r < all.front().rounds.size(); ++r) {
    for (const auto& found : all) {
      const auto& round = found.rounds[r];
      text += concat(r + 1, ",", job.stream().task_name(static_cast<int64_t>(r)), ",", found.learner, ",",
                     cell(round.proficiency), ",", round.samples, ",", round.reached ? 1 : 0, "\n");
    }
  }
  return text;
}

// The values, and over them the mean of the last kSmoothed.
void add_curves(Plot& plot, const std::string& label, const std::vector<double>& values) {
  Curve faint{.label = "", .x = {}, .y = values, .style = Curve::Style::kFaint};
  Curve line{.label = label, .x = {}, .y = {}};
  for (size_t r = 0; r < values.size(); ++r) {
    faint.x.push_back(static_cast<double>(r + 1));
    const size_t from = r + 1 < kSmoothed ? 0 : r + 1 - kSmoothed;
    const double sum = std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(from),
                                       values.begin() + static_cast<std::ptrdiff_t>(r + 1), 0.0);
    line.y.push_back(sum / static_cast<double>(r + 1 - from));
  }
  line.x = faint.x;
  plot.curves.push_back(std::move(faint));
  plot.curves.push_back(std::move(line));
}

void plot_online(const std::vector<Found>& all, const OnlineJob& job, const ExperimentConfig& config,
                 const std::filesystem::path& png) {
  const bool accuracy = job.classifies();
  const std::string smoothed = concat("thick: mean of the last ", kSmoothed, " rounds");
  Plot proficiency{.title = concat("Online learning: ", config.tasks()),
                   .subtitle = concat("on held-out samples once all data of the round have come; ", smoothed),
                   .x_label = "round",
                   .y_label = accuracy ? "accuracy, %" : "mse",
                   .log_y = !accuracy,
                   .percent = accuracy,
                   .curves = {}};
  Plot efficiency{
      .title = concat("Samples needed until ", accuracy ? "accuracy >= " : "mse <= ", config.online.level),
      .subtitle = concat("of the round's task, all ", job.stream().samples(config.online.batches),
                         " where it was not reached; ", smoothed),
      .x_label = "round",
      .y_label = "samples",
      .curves = {}};
  for (const auto& found : all) {
    auto values = proficiencies(found);
    for (auto& value : values) value = accuracy ? 100 * value : std::max(value, 1e-9);  // for the logarithm
    add_curves(proficiency, found.learner, values);
    add_curves(efficiency, found.learner, samples_needed(found));
  }
  write_plots({proficiency, efficiency}, png);
}

}  // namespace

std::vector<OnlineRound> online_rounds(const std::vector<double>& metrics, int64_t batches, int64_t samples,
                                       double level, bool accuracy) {
  require(batches >= 1 && static_cast<int64_t>(metrics.size()) % batches == 0, "online: ", metrics.size(),
          " results are no whole rounds of ", batches, " batches");
  std::vector<OnlineRound> rounds;
  for (auto at = metrics.begin(); at != metrics.end(); at += batches) {
    OnlineRound round{.proficiency = at[batches - 1], .samples = batches * samples};
    for (int64_t b = 0; b < batches && !round.reached; ++b) {
      round.reached = accuracy ? at[b] >= level : at[b] <= level;
      if (round.reached) round.samples = (b + 1) * samples;
    }
    rounds.push_back(round);
  }
  return rounds;
}

void report_online(std::ostream& out, const OnlineJob& job, const ExperimentConfig& config,
                   const RunDirectory& directory) {
  const auto& results = job.results();
  std::vector<Found> all;
  for (size_t i = 0; i < results.learners.size(); ++i) {
    all.push_back({results.learners[i],
                   online_rounds(results.metrics[i], config.online.batches, job.stream().samples(1),
                                 config.online.level, job.classifies()),
                   &results.metrics[i]});
  }
  print_table(out, all, job, config);
  const auto json = directory.root() / "online.json", csv = directory.root() / "online.csv",
             png = directory.root() / "online.png";
  write_file_atomically(json, json_text(all, job, config));
  write_file_atomically(csv, csv_text(all, job));
  plot_online(all, job, config, png);
  out << "\n  " << json.string() << "\n  " << csv.string() << "\n  " << png.string() << '\n';
}

}  // namespace innerloop
