#include "runners/experiment/record_file.h"

#include <array>
#include <boost/crc.hpp>

namespace innerloop {
namespace {

constexpr uint64_t kLargestRecord = uint64_t{1} << 30;
constexpr size_t kPiece = 1 << 20;  // a length that lies may not claim memory before its data is there

template <class Number>
void append_little_endian(std::string& out, Number value) {
  for (size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

template <class Number>
Number little_endian(std::string_view bytes) {
  Number value = 0;
  for (size_t i = 0; i < sizeof value; ++i)
    value |= static_cast<Number>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

bool read_piece(std::istream& in, std::string& out, uint64_t length) {
  out.clear();
  while (out.size() < length) {
    const size_t begin = out.size(), piece = std::min<size_t>(kPiece, length - begin);
    out.resize(begin + piece);
    if (!in.read(out.data() + begin, static_cast<std::streamsize>(piece))) return false;
  }
  return true;
}

}  // namespace

uint32_t masked_crc32c(std::string_view data) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
  sum.process_bytes(data.data(), data.size());
  const uint32_t crc = sum.checksum();
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string format_record(std::string_view data) {
  std::string out;
  append_little_endian(out, uint64_t{data.size()});
  append_little_endian(out, masked_crc32c(out));
  out += data;
  append_little_endian(out, masked_crc32c(data));
  return out;
}

bool RecordReader::next(std::string& data) {
  std::string header, sum;
  if (!read_piece(in_, header, 12)) return false;
  const std::string_view bytes = header;
  const auto length = little_endian<uint64_t>(bytes);
  if (masked_crc32c(bytes.substr(0, 8)) != little_endian<uint32_t>(bytes.substr(8))) return false;
  if (length > kLargestRecord || !read_piece(in_, data, length) || !read_piece(in_, sum, 4)) return false;
  if (masked_crc32c(data) != little_endian<uint32_t>(sum)) return false;
  end_ += 16 + length;
  return true;
}

}  // namespace innerloop
