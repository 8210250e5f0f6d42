// The commands of the program. Each takes the arguments after its name and returns the exit code; it throws
// UsageError (exit code 2) or Error (exit code 1) with the message to print.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runners/command_line.h"

namespace innerloop {

CommandDescription train_description();
CommandDescription bench_description();
CommandDescription online_description();
CommandDescription adapt_description();
CommandDescription analyse_description();
CommandDescription compare_description();
CommandDescription record_description();
CommandDescription export_description();
CommandDescription predict_description();
CommandDescription act_description();
CommandDescription suite_description();
CommandDescription report_description();
CommandDescription list_description();

int train(const std::vector<std::string>& arguments);
int bench(const std::vector<std::string>& arguments);
int online(const std::vector<std::string>& arguments);
int adapt(const std::vector<std::string>& arguments);
int analyse(const std::vector<std::string>& arguments);
int compare(const std::vector<std::string>& arguments);
int record(const std::vector<std::string>& arguments);
int export_run(const std::vector<std::string>& arguments);
int predict(const std::vector<std::string>& arguments);
int act(const std::vector<std::string>& arguments);
int suite(const std::vector<std::string>& arguments);
int report(const std::vector<std::string>& arguments);
int list(const std::vector<std::string>& arguments);

}  // namespace innerloop
