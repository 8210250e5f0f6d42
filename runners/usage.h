// What is told of the program as a whole, by `innerloop --help` and by its manual page.
#pragma once

#include <string>
#include <vector>

namespace innerloop {

struct UsageLine {
  std::string what, meaning;
};

inline const char* const kWhatItIs = "learning to learn, from task distribution to video";

inline const std::vector<UsageLine> kFirstSteps{
    {"innerloop train --config navigation_2d", "trains into runs/navigation_2d-seed1"},
    {"innerloop adapt --run runs/navigation_2d-seed1", "how well it adapts to new tasks"},
    {"innerloop record --run runs/navigation_2d-seed1", "videos of it"},
    {"innerloop bench --config sine_10shot", "few-shot regression, trained and evaluated"}};

inline const std::vector<UsageLine> kExitCodes{{"0", "done"},
                                               {"1", "failure"},
                                               {"2", "a request that cannot be understood"},
                                               {"128 + N", "stopped by signal N"}};

inline const std::vector<UsageLine> kEnvironmentVariables{
    {"INNERLOOP_DATA", "folder below which data sets in files are looked for"},
    {"INNERLOOP_CACHE",
     "folder where decoded images are kept  [$XDG_CACHE_HOME/innerloop or ~/.cache/innerloop]"},
    {"INNERLOOP_SHARE", "folder that holds configs/ and assets/, instead of the installed one"},
    {"INNERLOOP_GL", "what draws MuJoCo's films: egl, surfaceless, osmesa or none  [the first that works]"}};

}  // namespace innerloop
