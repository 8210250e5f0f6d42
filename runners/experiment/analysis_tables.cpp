#include "runners/experiment/analysis_tables.h"

#include <iomanip>
#include <iostream>

namespace innerloop {
namespace {

// Mean and interval in two columns.
std::string cells(const std::optional<MeanStatistics>& found, bool percent, int width = 11) {
  std::ostringstream text;
  text << std::setw(width) << (found ? figure_text(found->mean, percent) : "-") << std::setw(width)
       << (found ? interval_text(found->ci95, percent) : "-");
  return text.str();
}

void print_representation(std::ostream& out, const Analysis& analysis) {
  const auto& study = *analysis.representation;
  const bool percent = analysis.classification;
  const std::string metric = metric_name(percent);
  out << "\nlayers that stay as they were while the others, the head among them, adapt\n"
      << "layers held" << std::setw(17) << metric << std::setw(11) << "95 % CI" << std::setw(13)
      << "minus none" << std::setw(11) << "95 % CI" << '\n';
  for (size_t held = 0; held < study.held.size(); ++held) {
    out << std::setw(11) << held_text(held) << std::setw(6) << ""
        << cells(defined_statistics(study.held[held]), percent);
    if (held > 0) {
      out << "  " << cells(defined_statistics(differences(study.held[held], study.held.front())), percent);
    }
    out << '\n';
  }
  out << "before adaptation" << cells(defined_statistics(study.before), percent) << '\n';

  out << "\nrepresentation of the query samples before and after adaptation: 1 where it is the same\n"
      << std::setw(17) << "layer" << std::setw(11) << "linear CKA" << std::setw(11) << "95 % CI"
      << std::setw(11) << "mean CCA" << std::setw(11) << "95 % CI"
      << "   weights moved\n";
  bool missing = false;
  for (size_t l = 0; l < study.layers.size(); ++l) {
    const auto& layer = study.layers[l];
    const auto moved = defined_statistics(layer.moved);
    out << std::setw(17) << (layer.head ? layer.name + " (head)" : concat(l + 1, " ", layer.name))
        << cells(defined_statistics(layer.cka), false) << cells(defined_statistics(layer.cca), false)
        << std::setw(16) << (moved ? figure_text(moved->mean, true) : "-") << '\n';
    missing = missing || undefined(layer.cka) + undefined(layer.cca) > 0;
  }
  out << "weights moved: the length of the change over the length of the weights before\n";
  if (missing) {
    out << "a task has no CCA where a layer has as many neurons as there are samples, or more (--queries N "
           "gives\n"
           "more samples), and neither measure where a representation does not vary; means are over the "
           "other\n"
           "tasks, - where there are none\n";
  }
}

void print_permutations(std::ostream& out, const Analysis& analysis) {
  const OrderSpread spread = spread_of(analysis.permutations);
  const auto row = [&](const char* name, const std::vector<double>& values) {
    out << std::setw(24) << name << cells(defined_statistics(values), true, 12) << '\n';
  };
  out << "\neach task adapted to in " << analysis.permutations.front().size()
      << " orders of its classes, mean over tasks\n"
      << std::setw(24) << "order" << std::setw(12) << "accuracy" << std::setw(12) << "95 % CI" << '\n';
  row("best of a task", spread.best);
  row("mean of a task", spread.mean);
  row("worst of a task", spread.worst);
  row("as drawn", spread.as_drawn);
  row("best minus worst", differences(spread.best, spread.worst));
  row("std over a task's orders", spread.std);
  out << "The best order is chosen by the labels of the query samples: an oracle, no method.\n";
}

void print_steps(std::ostream& out, const Analysis& analysis) {
  const bool percent = analysis.classification;
  const auto& multiples = analysis.settings.multiples;
  constexpr int kWidth = 22;
  out << '\n'
      << metric_name(percent) << " with its 95 % CI, by inner step size"
      << (analysis.step_size ? " (on the mean loss)" : " (times what is learned)") << "\ngradient steps";
  for (const double multiple : multiples)
    out << std::setw(kWidth) << multiple_text(multiple, analysis.step_size);
  out << '\n';
  struct Cell {
    size_t i = 0, k = 0;
    double mean = 0;
  };
  std::optional<Cell> best;
  for (size_t k = 0; k < analysis.steps.front().front().size(); ++k) {
    out << std::setw(14) << k;
    for (size_t i = 0; i < multiples.size(); ++i) {
      const auto values = task_values(analysis.steps[i], k);
      const int64_t diverged = undefined(values);
      if (diverged > 0) {
        out << std::setw(kWidth) << concat(diverged, " of ", values.size(), " diverge");
        continue;
      }
      const auto found = mean_statistics(values);
      out << std::setw(kWidth) << figure_text(found.mean, percent) + " " + interval_text(found.ci95, percent);
      // Of equal ones the first, rounding aside.
      const double gain = best ? (percent ? 1 : -1) * (found.mean - best->mean) : 1;
      const bool better = gain > 1e-12;
      if (better) best = Cell{i, k, found.mean};
    }
    out << (static_cast<int64_t>(k) == analysis.trained_steps ? "   steps of training" : "") << '\n';
  }
  if (!best) return;
  out << (percent ? "highest: " : "lowest: ") << figure_text(best->mean, percent) << " after " << best->k
      << " steps of size " << multiple_text(multiples[best->i], analysis.step_size)
      << ". It is found on the test tasks that it is measured on, so it\n"
         "is not the accuracy of a method that chooses steps or sizes: those are chosen on validation "
         "tasks.\n";
}

void print_probe(std::ostream& out, const Analysis& analysis) {
  const auto& probe = *analysis.probe;
  const auto row = [&](const char* name, const std::vector<double>& values) {
    out << std::setw(24) << name << cells(defined_statistics(values), true, 12) << '\n';
  };
  out << "\nlinear probe of " << probe.features << " features: " << probe_text(probe) << ", l2 "
      << analysis.settings.l2 << '\n'
      << std::setw(24) << "images" << std::setw(12) << "accuracy" << std::setw(12) << "95 % CI" << '\n';
  row("tested on", probe.accuracy);
  row("trained on", probe.train_accuracy);
  out << "The interval is over splits of the same images: how well the mean over splits is known, for this\n"
         "network and these classes.\n";
}

}  // namespace

void print_analysis(std::ostream& out, const Analysis& analysis) {
  if (analysis.settings.study == Study::kRepresentation) {
    print_representation(out, analysis);
  } else if (analysis.settings.study == Study::kPermutations) {
    print_permutations(out, analysis);
  } else if (analysis.settings.study == Study::kLinearProbe) {
    print_probe(out, analysis);
  } else {
    print_steps(out, analysis);
  }
}

}  // namespace innerloop
