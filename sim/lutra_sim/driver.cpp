// Drives a verilated machine through its four streams: clock, reset, handshakes, stalls and stream rules.
//
// A cycle is: inputs set and settled with the clock low, handshakes sampled, rising edge.

#include "Vlutra.h"
#include "verilated.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr int RESET_CYCLES = 4;
constexpr int RANDOM = 2;  // contents of memories before they are written
constexpr unsigned LONGEST_BURST[3] = {2, 8, 24};  // the last is longer than the output buffer is deep
constexpr uint8_t IDLE = 0x5a;  // payload of a stream that offers nothing: must not matter

enum Violation : int64_t { NONE, WITHDRAWN, CHANGED, UNASKED, WAITED };

// Alternating runs of cycles that go and that stall, of lengths that differ from stream end to stream end.
class Bursts {
public:
    Bursts(bool active, uint64_t seed, uint64_t end)
        : active(active), state(seed * 0x9e3779b97f4a7c15u + end * 0xd1b54a32d192ed03u),
          longest{LONGEST_BURST[next() % 3], LONGEST_BURST[next() % 3]}, going(next() & 1) {}

    bool go() {
        if (!active) return true;
        if (left == 0) {
            going = !going;
            left = 1 + next() % longest[going];
        }
        --left;
        return going;
    }

private:
    uint64_t next() {  // splitmix64
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }

    bool active;
    uint64_t state;
    unsigned longest[2];
    bool going;
    unsigned left = 0;
};

// A port's bytes: Verilator keeps a port of 8n bits in the first n bytes of its variable.
template <class Port> uint8_t* bytes(Port& port) { return reinterpret_cast<uint8_t*>(&port); }

struct Beats {
    const uint8_t* first;
    int64_t count;
    int64_t width;
    int64_t period;
};

class Source {
public:
    Source(const Beats& beats, CData& valid, const CData& ready, uint8_t* data, Bursts bursts)
        : beats(beats), valid(valid), ready(ready), data(data), bursts(bursts) {}

    void offer() {
        const bool go = bursts.go();
        if (valid || taken == beats.count) return;
        if (idle > 0) {
            --idle;
        } else if (go) {
            valid = 1;
            std::memcpy(data, beats.first + taken * beats.width, beats.width);
        }
    }

    bool transfers() const { return valid && ready; }

    void advance() {
        withdraw();
        idle = beats.period - 1;
        ++taken;
    }

    void withdraw() {
        valid = 0;
        std::memset(data, IDLE, beats.width);
    }

    int64_t taken = 0;

private:
    Beats beats;
    CData& valid;
    const CData& ready;
    uint8_t* data;
    Bursts bursts;
    int64_t idle = 0;
};

}  // namespace

extern "C" {

struct Job {
    Beats command, activations, tables;
    int64_t beats, width, timeout;  // output beats to take, bytes of one, cycles without a transfer to give up after
    int64_t stalls;                 // whether the stream ends stall in bursts
    uint64_t seed;
    uint8_t *data, *keep, *last;    // what the output beats carried
};

struct Report {
    int64_t cycles, elapsed, beats, violation;
    int64_t taken[3];
};

struct Machine {
    VerilatedContext context;
    Vlutra top;

    Machine() : top((context.randReset(RANDOM), &context)) {}

    void low() { top.clk = 0; top.eval(); }
    void high() { top.clk = 1; top.eval(); }
};

}  // extern "C"

namespace {

class Sink {
public:
    Sink(const Job& job, Vlutra& top, Bursts bursts)
        : job(job), top(top), bursts(bursts), data(bytes(top.m_axis_tdata)), keep(bytes(top.m_axis_tkeep)),
          keep_width((job.width + 7) / 8), held(job.width), held_keep(keep_width) {}

    void offer() { top.m_axis_tready = bursts.go(); }

    bool transfers() const { return top.m_axis_tvalid && top.m_axis_tready; }

    // The stream rule that this cycle breaks, if any; asked for once in each cycle. ``settle`` evaluates the machine.
    template <class Settle> Violation check(Settle settle) {
        const bool valid = top.m_axis_tvalid;
        if (waiting && !valid) return WITHDRAWN;
        if (waiting && (top.m_axis_tlast != held_last || std::memcmp(held.data(), data, job.width)
                        || std::memcmp(held_keep.data(), keep, keep_width)))
            return CHANGED;
        waiting = valid && !top.m_axis_tready;
        if (waiting) {
            held_last = top.m_axis_tlast;
            std::memcpy(held.data(), data, job.width);
            std::memcpy(held_keep.data(), keep, keep_width);
        }
        return !top.m_axis_tready && turns_with_ready(settle) ? WAITED : NONE;
    }

    void record() {
        std::memcpy(job.data + taken * job.width, data, job.width);
        std::memcpy(job.keep + taken * keep_width, keep, keep_width);
        job.last[taken++] = top.m_axis_tlast;
    }

    int64_t taken = 0;

private:
    // Whether ``tvalid`` in a stalled cycle would be another if the sink were ready.
    template <class Settle> bool turns_with_ready(Settle settle) {
        const bool valid = top.m_axis_tvalid;
        top.m_axis_tready = 1;
        settle();
        const bool turned = top.m_axis_tvalid != valid;
        top.m_axis_tready = 0;
        settle();
        return turned;
    }

    const Job& job;
    Vlutra& top;
    Bursts bursts;
    uint8_t *data, *keep;
    size_t keep_width;
    std::vector<uint8_t> held, held_keep;
    bool waiting = false, held_last = false;
};

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void machine_reset(Machine* machine) {
    Vlutra& top = machine->top;
    top.s_axis_cmd_tvalid = top.s_axis_act_tvalid = top.s_axis_table_tvalid = top.m_axis_tready = 0;
    top.rst = 1;
    for (int i = 0; i < RESET_CYCLES; ++i) {
        machine->low();
        machine->high();
    }
    top.rst = 0;
}

EXPORT Machine* machine_new() {
    auto machine = new Machine;
    machine_reset(machine);
    return machine;
}

EXPORT void machine_delete(Machine* machine) { delete machine; }

EXPORT void machine_run(Machine* machine, const Job* job, Report* report) {
    Vlutra& top = machine->top;
    const auto bursts = [&](uint64_t end) { return Bursts(job->stalls != 0, job->seed, end); };
    Source sources[3] = {
        {job->command, top.s_axis_cmd_tvalid, top.s_axis_cmd_tready, bytes(top.s_axis_cmd_tdata), bursts(1)},
        {job->activations, top.s_axis_act_tvalid, top.s_axis_act_tready, bytes(top.s_axis_act_tdata), bursts(2)},
        {job->tables, top.s_axis_table_tvalid, top.s_axis_table_tready, bytes(top.s_axis_table_tdata), bursts(3)}};
    Sink sink(*job, top, bursts(4));
    int64_t now = 0, first = -1, quiet = 0, violation = NONE;

    for (; sink.taken < job->beats && quiet < job->timeout && violation == NONE; ++now) {
        for (Source& source : sources) source.offer();
        sink.offer();
        machine->low();

        bool taken[3];
        for (int i = 0; i < 3; ++i) taken[i] = sources[i].transfers();
        violation = first < 0 && top.m_axis_tvalid ? UNASKED : sink.check([&] { machine->low(); });
        if (first < 0 && taken[0]) first = now;
        const bool arrived = violation == NONE && sink.transfers();
        if (arrived) sink.record();
        quiet = taken[0] || taken[1] || taken[2] || arrived ? 0 : quiet + 1;

        machine->high();
        for (int i = 0; i < 3; ++i)
            if (taken[i]) sources[i].advance();
    }
    report->cycles = now - first;
    report->elapsed = now;
    report->beats = sink.taken;
    report->violation = violation;
    for (int i = 0; i < 3; ++i) report->taken[i] = sources[i].taken;
    for (Source& source : sources) source.withdraw();
    top.m_axis_tready = 0;
}
