// The record format of TensorFlow (tensorflow/core/lib/io/record_writer.h), in which TensorBoard reads its
// events:
//
//   uint64    length of the data, little-endian
//   uint32    masked CRC-32C of these 8 bytes
//   byte      data[length]
//   uint32    masked CRC-32C of the data
//
// A file only grows by whole records. One that was cut while it grew is whole up to its last record.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

namespace innerloop {

// CRC-32C (Castagnoli) rotated right by 15 bits, plus 0xa282ead8: a sum over data that holds sums of its own.
uint32_t masked_crc32c(std::string_view data);

std::string format_record(std::string_view data);

// The records of a stream, from where it stands.
class RecordReader {
 public:
  explicit RecordReader(std::istream& in) : in_(in) {}

  // False at the end, and before what is no whole record or fails its checksums.
  bool next(std::string& data);
  uint64_t end() const { return end_; }  // of the last record read, in bytes from the beginning

 private:
  std::istream& in_;
  uint64_t end_ = 0;
};

}  // namespace innerloop
