# tests/fuzz/NAME_fuzz.cpp becomes fuzz_NAME, make_corpus.cpp the program that writes their seeds. Preset `fuzz`: for
# libFuzzer (scripts/fuzz); a target links what it needs, and only that is built. Preset `sanitize`: with a main that
# reads files, which ctest runs on the seeds.
if(INNERLOOP_FUZZ)
  # Of the rooms on top, which would bring films, only these files.
  add_library(innerloop_fuzzed_checkpoints STATIC EXCLUDE_FROM_ALL
    runners/experiment/checkpoint.cpp runners/experiment/point_files.cpp runners/experiment/safetensors.cpp)
  target_link_libraries(innerloop_fuzzed_checkpoints PUBLIC innerloop::datasets nlohmann_json::nlohmann_json
    innerloop_warnings)
  precompile(innerloop_fuzzed_checkpoints)
  add_library(innerloop_fuzzed_settings STATIC EXCLUDE_FROM_ALL
    runners/command_keys.cpp runners/command_line.cpp runners/help.cpp runners/experiment/config.cpp runners/experiment/config_files.cpp
    runners/experiment/image_network.cpp
    runners/experiment/options.cpp runners/experiment/published.cpp
    runners/suites/search_space.cpp runners/suites/suite_file.cpp runners/suites/suite_plan.cpp)
  target_link_libraries(innerloop_fuzzed_settings PUBLIC innerloop::meta_algorithms Boost::program_options
    innerloop_warnings)
  add_library(innerloop_fuzzed_events STATIC EXCLUDE_FROM_ALL
    runners/experiment/event_message.cpp runners/experiment/record_file.cpp)
  target_link_libraries(innerloop_fuzzed_events PUBLIC innerloop::base Protozero::Protozero Boost::headers
    innerloop_warnings)
  set(events innerloop_fuzzed_events)
  set(checkpoints innerloop_fuzzed_checkpoints)
  set(settings innerloop_fuzzed_settings)
  set(driver)
else()
  set(events innerloop::runners)
  set(checkpoints innerloop::runners)
  set(settings innerloop::runners)
  set(driver tests/fuzz/replay.cpp)
  set(seeds ${PROJECT_BINARY_DIR}/seeds)
  add_test(NAME "fuzz: seeds" COMMAND make_corpus ${seeds})
  set_tests_properties("fuzz: seeds" PROPERTIES FIXTURES_SETUP seeds)
endif()
add_program(make_corpus SOURCES tests/fuzz/make_corpus.cpp LINK ${checkpoints} ${events} innerloop::datasets)

# add_fuzzer(NAME LINK...)
function(add_fuzzer name)
  add_program(fuzz_${name} SOURCES tests/fuzz/${name}_fuzz.cpp ${driver} LINK ${ARGN})
  if(INNERLOOP_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_test(NAME "fuzz: ${name} takes or refuses its seeds" COMMAND fuzz_${name} ${seeds}/${name})
    set_tests_properties("fuzz: ${name} takes or refuses its seeds" PROPERTIES FIXTURES_REQUIRED seeds TIMEOUT 300
      ENVIRONMENT OMP_NUM_THREADS=1)
  endif()
endfunction()
add_fuzzer(archive innerloop::datasets)
add_fuzzer(checkpoint ${checkpoints})
add_fuzzer(configuration ${settings})
add_fuzzer(events ${events})
add_fuzzer(folder innerloop::datasets)
add_fuzzer(image innerloop::datasets)
add_fuzzer(labelled_files innerloop::datasets)
add_fuzzer(names innerloop::datasets)
add_fuzzer(options ${settings})
add_fuzzer(patterns innerloop::meta)
add_fuzzer(points ${checkpoints} innerloop::datasets)
add_fuzzer(published ${settings})
add_fuzzer(suite ${settings})
add_fuzzer(values innerloop::base)
