// fastText in process: loads a model, classifies each line of a file (text alone) and prints
// "label score" a line to standard output, then a line of JSON with times and memory.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fasttext/fasttext.h>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double quantile(std::vector<double> values, double share)
{
    const auto place = values.begin() + std::ptrdiff_t(share * double(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

long residentKiB()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmRSS:", 0) == 0) {
            return std::stol(line.substr(6));
        }
    }
    return 0;
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 4) {
        std::fputs("usage: fasttext_bench MODEL QUERIES ROUNDS\n", stderr);
        return 2;
    }
    fasttext::FastText model;
    model.loadModel(arguments[1]);
    const long resident = residentKiB();
    std::ifstream file(arguments[2]);
    std::vector<std::string> queries;
    for (std::string line; std::getline(file, line);) {
        queries.push_back(line + "\n");
    }
    std::vector<double> p50, p99, rates;
    std::vector<std::pair<fasttext::real, std::string>> answer;
    const int rounds = std::stoi(arguments[3]);
    for (int round = 0; round <= rounds; ++round) {
        std::vector<double> each;
        const auto begin = Clock::now();
        for (const std::string& query : queries) {
            const auto start = Clock::now();
            std::istringstream in(query);
            model.predictLine(in, answer, 1, 0);
            each.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
            if (round == 0) {
                const bool known = !answer.empty();
                std::printf("%s %.9g\n", known ? answer[0].second.c_str() : "__label__",
                    known ? double(answer[0].first) : 0.0);
            }
        }
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        if (round > 0) {
            p50.push_back(quantile(each, 0.5));
            p99.push_back(quantile(each, 0.99));
            rates.push_back(double(queries.size()) / seconds);
        }
    }
    std::printf("{\"p50_us\":%.3f,\"p99_us\":%.3f,\"queries_per_second\":%.0f,\"rss_kib\":%ld}\n",
        quantile(p50, 0.5), quantile(p99, 0.5), quantile(rates, 0.5), resident);
    return 0;
}
