#include "runners/experiment/safetensors.h"

#include <cstdlib>
#include <limits>
#include <random>

#include "base/files.h"
#include "runners/experiment/checkpoint.h"
#include "tests/runners/scratch_folder.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

constexpr size_t kLimit = 1 << 24;

// A file with this header, which is not filled up with spaces.
std::string file_of(const std::string& header, const std::string& data = "") {
  std::string length(8, '\0');
  for (size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  return length + header + data;
}

std::string error_of(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "it");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// One tensor 'a' of this description before 8 bytes of data.
std::string error_of_tensor(const std::string& fields) {
  return error_of(file_of("{\"a\":{" + fields + "}}", "12345678"));
}

torch::Tensor whole_numbers(int64_t count) { return torch::arange(count, torch::kInt64); }

Safetensors example() {
  torch::manual_seed(1);
  return {{{"kind", "example"}, {"text", "\"quoted\"\n\\ and \u03b8"}},
          Params({{"z", torch::randn({1, 3, 2})},
                  {"steps/1", whole_numbers(3).reshape({1, 3})},
                  {"double", torch::randn({1, 5}, torch::kFloat64)},
                  {"scalar", torch::tensor(std::numeric_limits<float>::quiet_NaN())},
                  {"byte", torch::tensor({0, 255, 7}, torch::kUInt8)},
                  {"\u03b8", torch::tensor({true, false})},
                  {"a", torch::randn({1, 1})}})};
}

// Runs a Python program; false if it fails.
bool run_python(const std::filesystem::path& program, const std::string& text) {
  write_file_atomically(program, text);
  return std::system(("python3 '" + program.string() + "'").c_str()) == 0;
}

bool python_has_safetensors() {
  if (std::system("python3 -c 'import safetensors, numpy' 2> /dev/null") == 0) return true;
  WARN("python3 has no package safetensors or no numpy: nothing is compared with it");
  return false;
}

constexpr char kHexadecimal[] = "0123456789abcdef";

// "NAME F32 [1, 3] HEX\n" for each tensor, in the order of the alphabet; HEX are its bytes.
std::string table(const Params& tensors, const std::string& prefix = "") {
  std::vector<std::string> lines;
  for (const auto& [name, value] : tensors) {
    const auto* dtype = value.scalar_type() == torch::kFloat64 ? "float64"
                        : value.scalar_type() == torch::kInt64 ? "int64"
                        : value.scalar_type() == torch::kUInt8 ? "uint8"
                        : value.scalar_type() == torch::kBool  ? "bool"
                                                               : "float32";
    std::vector<std::string> shape;
    for (const int64_t dimension : value.sizes()) shape.push_back(std::to_string(dimension));
    std::string line = concat(prefix, name, " ", dtype, " [", join(shape), "] ");
    const auto* bytes = static_cast<const unsigned char*>(value.data_ptr());
    for (size_t i = 0; i < value.nbytes(); ++i) {
      line += kHexadecimal[bytes[i] >> 4];
      line += kHexadecimal[bytes[i] & 15];
    }
    lines.push_back(line + "\n");
  }
  std::sort(lines.begin(), lines.end());
  return join(lines, "");
}

// Its table of the file and what it says of the metadata.
std::string read_by_python(const ScratchFolder& folder, const std::filesystem::path& file) {
  const auto out = folder / "table.txt";
  REQUIRE(run_python(folder / "read.py",
                     concat("from safetensors import safe_open\n"
                            "from safetensors.numpy import load_file\n"
                            "file = '",
                            file.string(),
                            "'\n"
                            "with open('",
                            out.string(),
                            "', 'w', encoding='utf-8') as out:\n"
                            "    lines = [f'{name} {a.dtype} {list(a.shape)} "
                            "{a.tobytes().hex()}\\n' for name, a in load_file(file).items()]\n"
                            "    out.writelines(sorted(lines, key=str.encode))\n"
                            "    with safe_open(file, 'np') as f:\n"
                            "        out.writelines(f'{k}={v}\\n' for k, v in "
                            "sorted((f.metadata() or {}).items()) if k != 'checksum')\n")));
  return read_file(out, kLimit);
}

}  // namespace

TEST_CASE("safetensors read back as they were written, in order and bit by bit", "[safetensors]") {
  const ScratchFolder folder;
  const auto original = example();
  write_safetensors(folder / "a.safetensors", original);
  const auto loaded = read_safetensors(folder / "a.safetensors");
  CHECK(loaded.metadata == original.metadata);
  CHECK(identical(loaded.tensors, original.tensors));
  CHECK(format_safetensors(loaded) == format_safetensors(original));
  const auto nothing = parse_safetensors(format_safetensors({}), "it");
  CHECK((nothing.metadata.empty() && nothing.tensors.empty()));
  const auto empty =
      parse_safetensors(format_safetensors({{}, Params({{"a", torch::empty({2, 0, 3})}})}), "it");
  CHECK(empty.tensors.at("a").sizes() == torch::IntArrayRef({2, 0, 3}));
  // Views and leaves are written as the values that they are.
  const auto leaf = torch::randn({3, 2}).requires_grad_();
  const auto view = parse_safetensors(format_safetensors({{}, Params({{"a", leaf.t()}})}), "it");
  CHECK(identical(view.tensors, Params({{"a", leaf.detach().t().contiguous()}})));
}

TEST_CASE("a safetensors file is the one worked out by hand", "[safetensors]") {
  const Safetensors content{{{"b", "2"}, {"a", "x"}},
                            Params({{"f", torch::tensor({1.0f})}, {"n", torch::tensor({int64_t{-1}})}})};
  const std::string header =
      R"({"__metadata__":{"a":"x","b":"2"},"f":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
      R"("n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  CHECK(!padding.empty());
  CHECK(format_safetensors(content) ==
        file_of(header + padding, std::string(8, '\xff') + std::string("\x00\x00\x80\x3f", 4)));
}

TEST_CASE("a safetensors file is aligned: its data to 8 bytes, each tensor to its type", "[safetensors]") {
  const std::string bytes = format_safetensors(example());
  CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
  const auto begin_of = [&](const std::string& name) {
    const auto entry = bytes.find('"' + name + "\":{\"dtype\"");
    REQUIRE(entry != std::string::npos);
    const std::string offsets = "data_offsets\":[";
    return std::stoi(bytes.substr(bytes.find(offsets, entry) + offsets.size()));
  };
  CHECK(begin_of("steps/1") % 8 == 0);
  CHECK(begin_of("double") % 8 == 0);
  for (const char* name : {"z", "scalar", "a"}) CHECK(begin_of(name) % 4 == 0);
}

TEST_CASE("what a safetensors file cannot hold is refused by its name", "[safetensors]") {
  const auto format = [](const std::string& name, const torch::Tensor& value) {
    return format_safetensors({{}, Params({{name, value}})});
  };
  CHECK_THROWS_WITH(format("w", torch::zeros({1}, torch::kHalf)),
                    contains("'w'") && contains("F64, I64, F32"));
  CHECK_THROWS_WITH(format("__metadata__", torch::zeros({1})), contains("'__metadata__'"));
  CHECK_THROWS_WITH(format("\xff", torch::zeros({1})), contains("is not UTF-8"));
  CHECK_THROWS_WITH(format_safetensors({{{"key", "\xc3"}}, {}}), contains("is not UTF-8"));
  CHECK_THROWS_WITH(format("w", torch::Tensor()), contains("'w'") && contains("undefined"));
  CHECK_THROWS_WITH(format("w", torch::eye(2).to_sparse()), contains("'w'") && contains("sparse"));
}

TEST_CASE("a safetensors file cut anywhere is called truncated, a longer one damaged", "[safetensors]") {
  const std::string whole = format_safetensors(example());
  for (size_t length = 0; length < whole.size(); ++length) {
    INFO("length " << length);
    REQUIRE_THAT(error_of(whole.substr(0, length)), contains("it is truncated: it has "));
  }
  CHECK_THAT(error_of(whole + "abc"), contains("it is damaged: 3 bytes follow its last tensor"));
  CHECK(error_of(whole).empty());
}

TEST_CASE("a file that is no safetensors file, or claims too long a header, is refused", "[safetensors]") {
  CHECK_THAT(error_of("PK\x03\x04 this is a picture of a cat"), contains("it is not a safetensors file"));
  std::string bytes = file_of("{}");
  bytes[7] = '\x7f';
  CHECK_THAT(error_of(bytes), contains("damaged: its header has 9151314442816847874 bytes"));
  CHECK_THAT(error_of(file_of(" {}")), contains("not a safetensors file"));
  const ScratchFolder folder;
  CHECK_THROWS_WITH(read_safetensors(folder.path()), contains("is a directory"));
  CHECK_THROWS_WITH(read_safetensors("/dev/zero"), contains("is a device"));
  // A hole of 5 GB takes no space on disk and must take none in memory.
  write_file_atomically(folder / "hole", file_of("{}"));
  std::filesystem::resize_file(folder / "hole", uint64_t{5} << 30);
  CHECK_THROWS_WITH(read_safetensors(folder / "hole"), contains("expected at most 4294967296"));
}

TEST_CASE("a hostile description of a tensor is refused by what is wrong with it", "[safetensors]") {
  const auto described = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return error_of_tensor("\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets);
  };
  CHECK(described("\"F32\"", "[2]", "[0,8]").empty());
  CHECK_THAT(described("\"F32\"", "[3]", "[0,8]"), contains("shape and type take 12 bytes"));
  CHECK_THAT(described("\"F32\"", "[2]", "[8,0]"), contains("lies at [8, 0)"));
  CHECK_THAT(described("\"F32\"", "[2]", "[18446744073709551608,0]"), contains("[18446744073709551608, 0)"));
  CHECK_THAT(described("\"F32\"", "[2]", "[18446744073709551616,0]"), contains("out of place"));
  CHECK_THAT(described("\"F32\"", "[9223372036854775807]", "[0,8]"), contains("2^63 bytes"));
  CHECK_THAT(described("\"F32\"", "[4611686018427387904,4,2]", "[0,8]"), contains("2^63 bytes"));
  CHECK_THAT(described("\"F32\"", "[0,2147483648,2147483648,2147483648]", "[0,0]"), contains("2^63 bytes"));
  CHECK_THAT(described("\"F32\"", "[2147483648,2147483648,2147483648,0]", "[0,0]"), contains("2^63 bytes"));
  CHECK_THAT(described("\"F32\"", "[1152921504606846976]", "[0,4611686018427387904]"), contains("truncated"));
  CHECK_THAT(described("\"F32\"", "[-2]", "[0,8]"), contains("the number -2 out of place"));
  CHECK_THAT(described("\"F32\"", "[2.0]", "[0,8]"), contains("the number \"2.0\" out of place"));
  CHECK_THAT(described("\"F32\"", "[\"2\"]", "[0,8]"), contains("a string out of place"));
  CHECK_THAT(described("\"F32\"", "2", "[0,8]"), contains("a number out of place"));
  CHECK_THAT(described("\"F32\"", "null", "[0,8]"), contains("null out of place"));
  CHECK_THAT(described("\"F32\"", "[2]", "[0]"), contains("has 1 data_offsets"));
  CHECK_THAT(described("\"F32\"", "[2]", "[0,8,8]"), contains("more than 2 numbers"));
  CHECK_THAT(described("\"F16\"", "[2]", "[0,4]"), contains("type \"F16\"") && contains("F64, I64, F32"));
  CHECK_THAT(described("[\"F32\"]", "[2]", "[0,8]"), contains("a list out of place"));
  CHECK_THAT(described("\"BOOL\"", "[8]", "[0,8]"), contains("neither 0 nor 1"));
  CHECK_THAT(error_of_tensor("\"dtype\":\"F32\",\"shape\":[2]"), contains("2 fields"));
  CHECK_THAT(error_of_tensor("\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2]"), contains("\"shape\" twice"));
  CHECK_THAT(error_of_tensor("\"strides\":[1]"), contains("unknown field \"strides\""));
  std::string ones = "1";
  for (int i = 0; i < 100000; ++i) ones += ",1";
  CHECK_THAT(described("\"F32\"", "[" + ones + "]", "[0,8]"), contains("more than 64 numbers in its shape"));
}

TEST_CASE("tensors that overlap, leave gaps or share a name are refused", "[safetensors]") {
  const auto two = [](const std::string& name, const std::string& first, const std::string& second) {
    const std::string rest = R"(:{"dtype":"F32","shape":[1],"data_offsets":[)";
    return error_of(
        file_of("{\"a\"" + rest + first + "]},\"" + name + "\"" + rest + second + "]}}", "12345678"));
  };
  CHECK(two("b", "4,8", "0,4").empty());
  CHECK_THAT(two("b", "0,4", "0,4"),
             contains("begins at byte 0 of the data, the tensor before it ends at 4"));
  CHECK_THAT(two("b", "0,4", "2,6"), contains("begins at byte 2"));
  CHECK_THAT(two("b", "0,4", "5,9"), contains("begins at byte 5"));
  CHECK_THAT(two("b", "4,8", "8,12"), contains("begins at byte 4"));
  CHECK_THAT(two("a", "0,4", "4,8"), contains("names \"a\" twice"));
  CHECK_THAT(two("\\u0061", "0,4", "4,8"), contains("names \"a\" twice"));
  CHECK_THAT(error_of(file_of(R"({"__metadata__":{},"__metadata__":{}})")), contains("twice"));
  CHECK_THAT(error_of(file_of(R"({"__metadata__":{"a":"","a":""}})")),
             contains("__metadata__ names \"a\" twice"));
}

TEST_CASE("a header of another form is refused, however deep it nests", "[safetensors]") {
  const std::string deep(1000000, '['), deeper = [] {
    std::string text;
    for (int i = 0; i < 200000; ++i) text += "{\"a\":";
    return text;
  }();
  CHECK_THAT(error_of(file_of("{\"a\":" + deep)), contains("a list out of place"));
  CHECK_THAT(error_of(file_of("{\"a\":{\"shape\":" + deep)), contains("a list out of place"));
  CHECK_THAT(error_of(file_of(deeper)), contains("unknown field") || contains("out of place"));
  CHECK_THAT(error_of(file_of("{\"__metadata__\":" + deeper)), contains("an object out of place"));
  CHECK_THAT(error_of(file_of(R"({"__metadata__":{"a":1}})")), contains("a number out of place"));
  CHECK_THAT(error_of(file_of(R"({"__metadata__":"a"})")), contains("a string out of place"));
  CHECK_THAT(error_of(file_of("{ ")), contains("not JSON at byte"));
  CHECK_THAT(error_of(file_of("{} {}")), contains("not JSON at byte"));
  CHECK_THAT(error_of(file_of("{\"\xff\":{}}")), contains("not JSON at byte"));
  CHECK_THAT(error_of(file_of(std::string("{}\0garbage", 10))), contains("a zero byte"));
  // A name is shown in one short line, whatever it holds.
  const std::string name = "\\u001b[31m\\n" + std::string(1000, 'x');
  const std::string error = error_of(file_of("{\"" + name + "\":1}"));
  CHECK(error.size() < 200);
  CHECK_THAT(error_of(file_of("{\"" + name + "\":{\"x\":1}}")), contains(R"(tensor "\u001b[31m\nxxx)"));
}

TEST_CASE("a file damaged at random gives its content or an Error", "[safetensors]") {
  const std::string whole = format_safetensors(example());
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = whole;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const size_t at = random() % (whole.size() - 60);
      bytes[at] = random() % 2 == 0 ? static_cast<char>(random()) : whole[random() % whole.size()];
    }
    try {
      parse_safetensors(bytes, "it");
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 10000);
}

TEST_CASE("Python's safetensors reads a checkpoint with the same names, shapes and bits", "[safetensors]") {
  if (!python_has_safetensors()) return;
  const ScratchFolder folder;
  const auto file = folder / "last.safetensors";
  const auto tensors = example().tensors;
  const Checkpoint checkpoint{
      .kind = "policy",
      .config = "seed = 1\nname = \"\u03b8\"\n",
      .iteration = 37,
      .environment_steps = 123456,
      .meta = tensors.select({"z", "scalar", "a"}).joined(Params({{"empty", torch::empty({2, 0})}})),
      .optimizer = tensors.select({"double", "steps/1"}),
      .method = tensors.select({"\u03b8", "byte"}),
      .job = tensors.select({"z"}),
  };
  save_checkpoint(file, checkpoint);
  CHECK(read_by_python(folder, file) ==
        concat(table(checkpoint.job, "job/"), table(checkpoint.meta, "meta/"),
               table(checkpoint.method, "method/"), table(checkpoint.optimizer, "optimizer/"),
               "config=", checkpoint.config,
               "\nenvironment_steps=123456\nformat_version=2\niteration=37\nkind=policy\n"));
}

TEST_CASE("what Python's safetensors wrote is read with the same names, shapes and bits", "[safetensors]") {
  if (!python_has_safetensors()) return;
  const ScratchFolder folder;
  const auto file = folder / "python.safetensors";
  REQUIRE(run_python(folder / "write.py",
                     concat("import numpy as np\n"
                            "from safetensors.numpy import save_file\n"
                            "save_file({'w': np.arange(6, dtype=np.float32).reshape(1, 3, 2) / 7,\n"
                            "           'd': np.array([[1 / 3, -0.0, np.nan]]),\n"
                            "           'n': np.array([-5, 2**62]), 'byte': np.array([1, 255], np.uint8),\n"
                            "           'truth': np.array([[True], [False]]),\n"
                            "           'scalar': np.array(2.5, np.float32), 'empty': np.zeros((2, 0)),\n"
                            "           '\u03b8': np.zeros(1, np.float32)},\n"
                            "          '",
                            file.string(), "', metadata={'format': 'np', '\u03b8': '\\n\"'})\n")));
  const auto read = read_safetensors(file);
  CHECK(read.metadata == std::map<std::string, std::string>{{"format", "np"}, {"\u03b8", "\n\""}});
  CHECK(read.tensors.size() == 8);
  CHECK(identical(read.tensors.select({"w"}),
                  Params({{"w", torch::arange(6, torch::kFloat32).reshape({1, 3, 2}) / 7}})));
  CHECK(read.tensors.at("n").equal(torch::tensor({int64_t{-5}, int64_t{1} << 62})));
  CHECK(read.tensors.at("truth").equal(torch::tensor({true, false}).reshape({2, 1})));
  CHECK(read_by_python(folder, file) == table(read.tensors) + "format=np\n\u03b8=\n\"\n");
}
