#include "runners/reports/report_page.h"

#include <algorithm>

#include "base/error.h"
#include "base/paths.h"
#include "runners/reports/html.h"
#include "runners/reports/report_text.h"
#include "runners/reports/run_commands.h"

namespace innerloop {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string paragraph(const std::string& text, const char* of_class = "note") {
  return concat("<p class=\"", of_class, "\">", html_text(text), "</p>\n");
}

std::string figures(const std::vector<ReportPicture>& pictures, const std::filesystem::path& folder) {
  std::string out;
  for (const auto& picture : pictures) {
    out += concat(
        "<figure><div class=\"scroll\"><img alt=\"", html_text(picture.plot.title + ". " + picture.caption),
        "\" src=\"", data_uri("image/svg+xml", folder / (picture.name + ".svg")), "\"></div><figcaption>",
        html_text(picture.caption), " (", html_text(picture.name), ".svg, .png)</figcaption></figure>\n");
  }
  return out;
}

std::string spread_text(const std::vector<double>& seeds, const std::string& metric) {
  const auto [low, high] = std::minmax_element(seeds.begin(), seeds.end());
  return concat(metric_text(*low, metric), " to ", metric_text(*high, metric));
}

std::string results_table(const ProblemResult& result) {
  const auto& problem = result.problem;
  const std::string unit = problem.metric == "accuracy" ? ", %" : "";
  const std::string baseline = problem.groups[result.baseline].label;
  const bool one = problem.groups.size() == 1;
  std::vector<std::string> head{"algorithm", "seeds", problem.metric + unit + ": IQM over seeds [95 %]",
                                "lowest to highest seed", "mean \u00b1 95 % over tasks"};
  if (!one)
    head.insert(head.end(),
                {"difference to " + baseline + ", same tasks", "P(better than " + baseline + ")"});
  Rows rows;
  for (size_t g = 0; g < result.groups.size(); ++g) {
    const auto& own = result.groups[g];
    const size_t trained = problem.groups[g].runs.size();
    std::vector<std::string> row{problem.groups[g].label,
                                 own.seeds.size() == trained
                                     ? seeds_text(trained)
                                     : concat(own.seeds.size(), " of ", trained, " evaluated")};
    row.push_back(!own.over_seeds         ? "-"
                  : own.seeds.size() == 1 ? metric_text(own.seeds.front(), problem.metric)
                                          : estimate_text(*own.over_seeds, problem.metric));
    row.push_back(own.seeds.size() < 2 ? "-" : spread_text(own.seeds, problem.metric));
    row.push_back(own.over_tasks ? mean_text(*own.over_tasks, problem.metric) : "-");
    if (!one) {
      row.push_back(g == result.baseline ? "baseline"
                    : own.difference     ? mean_text(*own.difference, problem.metric, true)
                                         : "-");
      row.push_back(g == result.baseline ? "baseline"
                    : own.improvement    ? probability_text(*own.improvement)
                                         : "-");
    }
    rows.push_back(std::move(row));
  }
  return html_table(head, rows);
}

std::string results_notes(const ProblemResult& result) {
  std::string out;
  if (!result.not_paired.empty())
    out += paragraph("No differences on the same tasks: " + result.not_paired + ".");
  const bool several = std::any_of(result.groups.begin(), result.groups.end(),
                                   [](const GroupResult& own) { return own.seeds.size() > 1; });
  out += paragraph(several ? "IQM: mean of the middle half of the seeds; its interval is a stratified "
                             "bootstrap over seeds. Intervals "
                             "from fewer than about ten seeds are themselves rough."
                           : "One seed for each: intervals are over tasks and say nothing of other seeds.");
  if (const auto shared = tasks_share_samples(result.problem)) {
    out +=
        paragraph(*shared ? "Tasks are drawn with replacement and may share samples: their intervals are of "
                            "the mean over tasks of these data, too narrow for new data of the kind. "
                            "--evaluation.replacement false draws tasks that share none."
                          : "Tasks share no sample: their intervals hold for new data of the kind.");
  }
  return out;
}

std::string adaptation_table(const ProblemResult& result) {
  size_t steps = 0;
  for (const auto& own : result.groups) steps = std::max(steps, own.adaptation.size());
  if (steps == 0) return "";
  std::vector<std::string> head{"algorithm"};
  for (size_t k = 0; k < steps; ++k) head.push_back(concat(k, k == 1 ? " step" : " steps"));
  Rows rows;
  for (size_t g = 0; g < result.groups.size(); ++g) {
    const auto& own = result.groups[g].adaptation;
    if (own.empty()) continue;
    std::vector<std::string> row{result.problem.groups[g].label};
    for (size_t k = 0; k < steps; ++k)
      row.push_back(k < own.size() ? estimate_text(own[k].y, result.problem.metric) : "-");
    rows.push_back(std::move(row));
  }
  return "<h3>After each gradient step</h3>\n" + html_table(head, rows);
}

std::string films_of(const RunProblem& problem) {
  std::string out;
  for (const auto& group : problem.groups) {
    const auto run = std::find_if(group.runs.begin(), group.runs.end(),
                                  [](const RunSummary& r) { return !r.films.empty(); });
    if (run == group.runs.end()) continue;
    for (const auto& film : run->films) {
      out += concat("<h3>", html_text(group.label), ", seed ", run->seed(),
                    "</h3>\n<video controls muted loop playsinline");
      out +=
          concat(" src=\"", data_uri("video/mp4", film.film), "\"></video>\n", paragraph(film.film.string()));
      if (film.still)
        out += concat("<img class=\"still\" alt=\"whole trajectories\" src=\"",
                      data_uri("image/png", *film.still), "\">\n");
    }
  }
  return out.empty() ? "" : "<h3>Films: before and after gradient steps</h3>\n" + out;
}

std::string differences_table(const RunProblem& problem) {
  const auto differences = key_differences(problem.groups);
  if (problem.groups.size() == 1) return "";
  std::vector<std::string> head{"key"};
  for (const auto& group : problem.groups) head.push_back(group.label);
  Rows rows;
  for (const auto& difference : differences) {
    std::vector<std::string> row{difference.key};
    for (const auto& value : difference.values) row.push_back(value.empty() ? "-" : value);
    rows.push_back(std::move(row));
  }
  return "<h3>In what the configurations differ</h3>\n" + html_table(head, rows);
}

std::string runs_table(const RunProblem& problem) {
  Rows rows;
  for (const auto& group : problem.groups) {
    for (const auto& run : group.runs) {
      std::string result = "not evaluated yet", tasks = "-";
      if (run.evaluation) {
        result = mean_text(mean_statistics(run.evaluation->run.per_task), problem.metric);
        tasks = run.evaluation->run.test.at("tasks");
      }
      char time[32] = "-";
      if (run.milliseconds) std::snprintf(time, sizeof time, "%.3g", *run.milliseconds);
      rows.push_back({run.directory.string(), group.label, std::to_string(run.seed()),
                      concat(run.done, " of ", run.config.iterations), time, tasks, result});
    }
  }
  return "<h3>Runs</h3>\n" + html_table({"run", "algorithm", "seed", "meta-iterations", "ms per iteration",
                                         "test tasks", "mean \u00b1 95 % over tasks"},
                                        rows);
}

std::string commands_list(const RunProblem& problem) {
  std::string out = "<h3>Commands</h3>\n";
  for (const auto& group : problem.groups) {
    for (const auto& run : group.runs) {
      out += "<pre>";
      for (const auto& command : commands_of(run)) out += html_text(command) + "\n";
      out += "</pre>\n";
    }
  }
  return out;
}

std::string problem_section(const ProblemResult& result, size_t number,
                            const std::filesystem::path& pictures) {
  return concat("<section id=\"problem-", number, "\">\n<h2>", html_text(result.problem.label), "</h2>\n",
                results_table(result), results_notes(result), figures(pictures_of(result, number), pictures),
                adaptation_table(result), films_of(result.problem), differences_table(result.problem),
                runs_table(result.problem), commands_list(result.problem), "</section>\n");
}

std::string across_section(const AcrossProblems& across, size_t problems,
                           const std::filesystem::path& pictures) {
  Rows rows;
  for (size_t g = 0; g < across.labels.size(); ++g) {
    rows.push_back({across.labels[g], estimate_text(across.over_seeds[g], "accuracy"),
                    across.improvement[g] ? probability_text(*across.improvement[g]) : "baseline"});
  }
  return concat("<section id=\"across\">\n<h2>All ", problems, " problems</h2>\n",
                html_table({"algorithm", "accuracy, %: IQM over problems and seeds [95 %]",
                            "P(better than the baseline)"},
                           rows),
                paragraph("Seeds are drawn within each problem (stratified bootstrap); a probability is the "
                          "mean over problems."),
                figures(pictures_of(across), pictures), "</section>\n");
}

}  // namespace

std::string report_page(const ReportResults& results, const ReportPage& page) {
  size_t runs = 0;
  std::string links, sections;
  for (size_t i = 0; i < results.problems.size(); ++i) {
    const auto& problem = results.problems[i].problem;
    for (const auto& group : problem.groups) runs += group.runs.size();
    links += concat("<a href=\"#problem-", i + 1, "\">", html_text(problem.label), "</a>");
    sections += problem_section(results.problems[i], i + 1, page.pictures);
  }
  std::string body = concat("<h1>", html_text(page.title), "</h1>\n",
                            paragraph(concat(runs, runs == 1 ? " run" : " runs", ", innerloop ", version())));
  if (results.problems.size() > 1) body += "<nav>" + links + "</nav>\n";
  if (results.across) body += across_section(*results.across, results.problems.size(), page.pictures);
  if (!results.not_across.empty())
    body += paragraph("Nothing is put together across problems: " + results.not_across + ".");
  return html_page(page.title,
                   concat(body, sections, "<h2>This page</h2>\n<pre>", html_text(page.command), "</pre>\n"));
}

}  // namespace innerloop
