#include "engine/operations/monitoring/prometheusclient.h"

using namespace sluice::ops;

/// Any bytes as an answer of Prometheus.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const QByteArray body(reinterpret_cast<const char*>(data + 1), qsizetype(size - 1));
    const int status = data[0] % 2 == 0 ? 200 : 400;
    (void)PrometheusClient::parseRange(status, body, 1 + data[0] % 30);
    (void)PrometheusClient::parseInstant(status, body);
    return 0;
}
