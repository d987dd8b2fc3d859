// Drives a verilated machine through its four streams: clock, reset, handshakes, stalls and stream rules.
//
// A cycle is: inputs set and settled with the clock low, handshakes sampled, rising edge. A job runs in steps of some
// cycles, so that whoever called can look up in between.

#include "Vlutra.h"
#include "verilated.h"
#ifdef LUTRA_START  // names of the signals that say that an operation starts, and that it is done
#include "Vlutra___024root.h"
#endif
#ifdef LUTRA_TRACE  // the class that writes traces
#include LUTRA_TRACE_HEADER
#endif

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

// A signal's bit; bits that are all high when something comes, which taps look at so many cycles later.
struct Wire { const void* at; unsigned bit; };
struct Gate { std::vector<Wire> wires; unsigned late; };
struct Tap { const void* at; size_t size; int64_t bits; unsigned port, gate; };

}  // namespace

#ifdef LUTRA_TAPS  // gates and taps of this machine
#include "taps.h"
#endif

namespace {

constexpr int RESET_CYCLES = 4;
constexpr int RANDOM = 2;  // contents of memories before they are written
constexpr unsigned LONGEST_BURST[3] = {2, 8, 24};  // the last is longer than the output buffer is deep
constexpr uint8_t IDLE = 0x5a;  // payload of a stream that offers nothing: must not matter
constexpr int64_t PATIENCE = 64;  // cycles in which a job that was taken must change the machine's state
constexpr int64_t DRAIN = 16;     // cycles without an output beat after which a failed machine has no more

enum Violation : int64_t { NONE, WITHDRAWN, CHANGED, UNASKED, WAITED };
enum State : uint32_t { STATE_IDLE, STATE_RUNNING, STATE_FAILED };

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

#ifdef LUTRA_TAPS
// Counts, for each port, the bits that its taps are given and those of them that are others than the time before.
class Activity {
public:
    explicit Activity(Vlutra___024root& root) : gates(all_gates(root)), taps(all_taps(root)), high(gates.size()) {
        for (const Tap& tap : taps) before.emplace_back(tap.size);
        forget();
    }

    // What comes next has no time before.
    void forget() { known.assign(taps.size(), false); }

    // Looks at a settled cycle, which counts for an operation's bits and toggles of each port, or for none.
    void look(int64_t* counts) {
        for (size_t i = 0; i < gates.size(); ++i) high[i] = high[i] << 1 | all(gates[i].wires);
        for (size_t i = 0; i < taps.size(); ++i) {
            const Tap& tap = taps[i];
            if (!(high[tap.gate] >> gates[tap.gate].late & 1)) continue;
            if (known[i] && counts) {
                counts[2 * tap.port] += tap.bits;
                counts[2 * tap.port + 1] += differing(tap, before[i].data());
            }
            std::memcpy(before[i].data(), tap.at, tap.size);
            known[i] = true;
        }
    }

private:
    static bool all(const std::vector<Wire>& wires) {
        for (const Wire& wire : wires)
            if (!(static_cast<const uint8_t*>(wire.at)[wire.bit / 8] >> wire.bit % 8 & 1)) return false;
        return true;
    }

    static int64_t differing(const Tap& tap, const uint8_t* old) {
        int64_t found = 0;
        for (size_t place = 0; place < tap.size; place += 8) {
            uint64_t a = 0, b = 0;
            const size_t some = tap.size - place < 8 ? tap.size - place : 8;
            std::memcpy(&a, static_cast<const uint8_t*>(tap.at) + place, some);
            std::memcpy(&b, old + place, some);
            found += __builtin_popcountll(a ^ b);
        }
        return found;
    }

    std::vector<Gate> gates;
    std::vector<Tap> taps;
    std::vector<uint64_t> high;  // whether a gate was, one bit for each cycle, the last one lowest
    std::vector<std::vector<uint8_t>> before;
    std::vector<char> known;
};
#endif

struct Beats {
    const uint8_t *first, *last;  // bytes, and tlast of each beat
    int64_t count, width, period;
};

class Source {
public:
    Source(const Beats& beats, CData& valid, const CData& ready, uint8_t* data, CData* last, Bursts bursts)
        : beats(beats), valid(valid), ready(ready), data(data), last(last), bursts(bursts) { withdraw(); }

    void offer() {
        const bool go = bursts.go();
        if (valid || taken == beats.count) return;
        if (idle > 0) {
            --idle;
        } else if (go) {
            valid = 1;
            std::memcpy(data, beats.first + taken * beats.width, beats.width);
            if (last) *last = beats.last[taken];
        }
    }

    bool transfers() const { return valid && ready; }

    bool all() const { return taken == beats.count; }

    void advance() {
        withdraw();
        idle = beats.period - 1;
        ++taken;
    }

    void withdraw() {
        valid = 0;
        std::memset(data, IDLE, beats.width);
        if (last) *last = 1;
    }

    int64_t taken = 0;

private:
    Beats beats;
    CData& valid;
    const CData& ready;
    uint8_t* data;
    CData* last;
    Bursts bursts;
    int64_t idle = 0;
};

}  // namespace

extern "C" {

struct Job {
    Beats command, activations, tables;
    int64_t beats, width, limit;  // output beats that there is room for, bytes of one, cycles to give up after
    int64_t stalls;               // whether the stream ends stall in bursts
    uint64_t seed;
    uint8_t *data, *keep, *last;  // what the output beats carried
    int64_t* times;               // when each was taken
    int64_t *starts, *dones;      // when operations started and were done, as far as there is room for them
    int64_t operations;
    int64_t* toggles;  // bits and toggles of each port in each operation of a run, where a machine has taps
    int64_t run;       // operations of a run
};

struct Report {
    int64_t cycles, elapsed, beats, violation, status;
    int64_t taken[3], started, done;
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
        if (valid && taken == job.beats) return UNASKED;
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

    void record(int64_t now) {
        std::memcpy(job.data + taken * job.width, data, job.width);
        std::memcpy(job.keep + taken * keep_width, keep, keep_width);
        job.times[taken] = now;
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

// One job from its first word offered to the machine idle or failed.
class Session {
public:
    Session(Vlutra& top, const Job& given)
        : job(given), top(top),
          sources{{job.command, top.s_axis_cmd_tvalid, top.s_axis_cmd_tready, bytes(top.s_axis_cmd_tdata), nullptr,
                   bursts(1)},
                  {job.activations, top.s_axis_act_tvalid, top.s_axis_act_tready, bytes(top.s_axis_act_tdata),
                   &top.s_axis_act_tlast, bursts(2)},
                  {job.tables, top.s_axis_table_tvalid, top.s_axis_table_tready, bytes(top.s_axis_table_tdata),
                   &top.s_axis_table_tlast, bursts(3)}},
          sink(job, top, bursts(4)), fresh((top.status & 3) != STATE_FAILED) {}

    // Runs so many cycles at most; whether the job has ended.
    template <class Low, class High> bool step(int64_t cycles, Low low, High high) {
        for (int64_t i = 0; i < cycles && !ended; ++i) cycle(low, high);
        return ended;
    }

    void report(Report& to) const {
        to = {stopped - zero, now, sink.taken, violation, int64_t(top.status), {}, started, done};
        for (int i = 0; i < 3; ++i) to.taken[i] = sources[i].taken;
    }

    // Cycles since the one that takes the last command word, which is RUN's where the job has one; -1 before it.
    int64_t clock() const {
        if (zero >= 0) return now - zero;
        return sources[0].transfers() && sources[0].taken == job.command.count - 1 ? 0 : -1;
    }

    ~Session() {
        for (Source& source : sources) source.withdraw();
        top.m_axis_tready = 0;
    }

private:
    Bursts bursts(uint64_t end) const { return Bursts(job.stalls != 0, job.seed, end); }

    template <class Low, class High> void cycle(Low low, High high) {
        for (Source& source : sources)
            if (fresh || &source == sources) source.offer();  // a failed machine drops beats until a word clears it
        sink.offer();
        low();

        bool taken[3];
        for (int i = 0; i < 3; ++i) taken[i] = sources[i].transfers();
        violation = sources[0].taken || !top.m_axis_tvalid ? sink.check(low) : UNASKED;
        const bool arrived = violation == NONE && sink.transfers();
        if (arrived) sink.record(now);
        count();
        observe();
        follow(arrived);

        high();
        for (int i = 0; i < 3; ++i)
            if (taken[i]) sources[i].advance();
        if (taken[0] && sources[0].all()) zero = now;
        ++now;
    }

    // Times of operations, counted as `clock` does.
    void observe() {
#ifdef LUTRA_START
        if (zero < 0) return;
        if (top.rootp->LUTRA_START && started < job.operations) job.starts[started++] = now - zero;
        if (top.rootp->LUTRA_DONE && done < job.operations) job.dones[done++] = now - zero;
#endif
    }

    // Activity counts for the operation that runs: until it is done, from the end of the one before. Each run begins anew.
    void count() {
#ifdef LUTRA_TAPS
        const bool mine = job.toggles && zero >= 0 && done < job.operations;
        activity.look(mine ? job.toggles + done % job.run * 2 * PORTS : nullptr);
        if (mine && top.rootp->LUTRA_DONE && done % job.run == job.run - 1) activity.forget();
#endif
    }

    // Whether the state says that the job has ended, after a failure with what the output buffer still held.
    void follow(bool arrived) {
        const uint32_t state = top.status & 3;
        fresh |= state != STATE_FAILED;
        running |= state == STATE_RUNNING && sources[0].all();
        const bool failed = state == STATE_FAILED && (fresh || late());
        const bool idle = state == STATE_IDLE && (running || (late() && sources[2].all()));
        if ((failed || idle) && stopped < 0) stopped = now;
        quiet = failed && top.m_axis_tready ? (arrived ? 0 : quiet + 1) : quiet;
        ended = violation != NONE || idle || quiet == DRAIN || now + 1 >= job.limit;
        if (ended && stopped < 0) stopped = now;
    }

    bool late() const { return zero >= 0 && now > zero + PATIENCE; }

    const Job job;
    Vlutra& top;
    Source sources[3];
    Sink sink;
    bool fresh;  // not failed, or no more: the state is this job's
    int64_t now = 0, zero = -1, stopped = -1, quiet = 0, violation = NONE, started = 0, done = 0;
    bool running = false, ended = false;
#ifdef LUTRA_TAPS
    Activity activity{*top.rootp};
#endif
};

}  // namespace

struct Machine {
    VerilatedContext context;
    Vlutra top;
    std::unique_ptr<Session> session;
#ifdef LUTRA_TRACE
    std::unique_ptr<LUTRA_TRACE> trace;
    int64_t first = 0, last = -1, at = -1;  // the cycles to be written; this one
#endif

    Machine() : top((context.threads(1), context.randReset(RANDOM), &context)) {}  // no pool of threads beside ours

    // Verilator takes the scopes off the thread's context, which may be that of another machine, even a deleted one.
    ~Machine() { Verilated::threadContextp(&context); }

    void low() {
        top.clk = 0;
        top.eval();
#ifdef LUTRA_TRACE
        at = session ? session->clock() : -1;
#endif
        dump(0);
    }

    void high() {
        top.clk = 1;
        top.eval();
        dump(1);
    }

    void dump(int half) {
#ifdef LUTRA_TRACE
        if (trace && first <= at && at <= last) trace->dump(uint64_t(2 * at + half));
#endif
    }
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void machine_reset(Machine* machine) {
    Vlutra& top = machine->top;
    machine->session.reset();
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

EXPORT void machine_begin(Machine* machine, const Job* job) {
    machine->session.reset();
    machine->session = std::make_unique<Session>(machine->top, *job);
}

EXPORT int machine_step(Machine* machine, int64_t cycles, Report* report) {
    const bool ended = machine->session->step(cycles, [&] { machine->low(); }, [&] { machine->high(); });
    machine->session->report(*report);
    return ended;
}

#ifdef LUTRA_TRACE
// Write cycles first to last of the jobs that follow to a file, until the trace is closed.
EXPORT void machine_trace(Machine* machine, const char* path, int64_t first, int64_t last) {
    machine->context.traceEverOn(true);
    machine->trace = std::make_unique<LUTRA_TRACE>();
    machine->top.trace(machine->trace.get(), 99);
    machine->trace->open(path);
    machine->first = first;
    machine->last = last;
}

EXPORT void machine_trace_close(Machine* machine) {
    machine->trace->close();
    machine->trace.reset();
}
#endif
