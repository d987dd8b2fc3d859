// Event-driven simulation of a netlist of library cells: inertial delays, energies by state, an ideal clock.
//
// A net has at most one transition under way, so transitions wait in a ring of linked lists, one list for each unit of
// time. What clocks drive happens at the clock's edge itself; all that follows has a delay of one unit at least.
#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

constexpr uint8_t NO_ARC = 255;
enum Kind { LOGIC, FLIP_FLOP, LATCH };

}  // namespace

extern "C" {

struct CellType {  // tables of behaviour.py
    int64_t kind, inputs, outputs, states, clock, rising, initial;
    const uint8_t *output, *next, *open, *delay_arc, *output_energy, *input_energy;
    const double* leakage;  // nW
};

struct Design {
    int64_t cells, nets, types, units;  // units: length of the ring, a power of two
    const CellType* type;
    const int32_t *type_of, *inputs, *input_start, *outputs, *output_start;
    const int64_t* sink_start;
    const int32_t *sink_cell, *sink_pin;
    const uint8_t* clocked;                                        // of nets
    const int64_t *delay_start, *output_energy_start, *input_energy_start;  // of cells
    const int32_t* delay;                                          // units, (arcs, 2)
    const double *output_energy, *input_energy;                    // fJ, (arcs, 2)
    const int64_t* level;                                          // of cells
    const int32_t* order;                                          // cells of logic by level
};

struct Job {
    int64_t cycles, skip, period, launch, zero_delay;
    int64_t input_bits, output_bits, clock;  // clock: its net, -1 without one
    const int32_t *input_nets, *output_nets;
    const uint8_t* input;  // (cycles, input_bits)
    uint8_t* output;       // (cycles, output_bits)
    int64_t* toggles;      // (nets)
    double *internal, *clocks, *leakage;  // fJ, fJ, nW times units: (cells)
    int64_t late;          // cycles that ended with transitions under way
};
}

namespace {

class Simulation {
public:
    Simulation(const Design& design, Job& job)
        : d(design), job(job), state(d.cells), value(d.nets), waiting(d.nets), next(d.nets), previous(d.nets),
          slot(d.nets), energy(d.nets), driver(d.nets, -1), since(d.cells), head(d.units, -1) {
        for (int64_t cell = 0; cell < d.cells; ++cell)
            for (int32_t place = d.output_start[cell]; place < d.output_start[cell + 1]; ++place)
                if (d.outputs[place] >= 0) driver[d.outputs[place]] = cell;
    }

    void run() {
        settle();
        for (int64_t cycle = 0; cycle < job.cycles; ++cycle) {
            if (cycle == job.skip) start_counting();
            const int64_t edge = cycle * job.period;
            if (cycle) {
                if (job.clock >= 0) clock_edge(edge);
                apply(cycle, edge);
                advance(edge, edge + job.period / 2);
                if (job.clock >= 0) clock_edge(edge + job.period / 2);
                advance(edge + job.period / 2, edge + job.period);
                if (cycle >= job.skip) job.late += under_way > 0;
            }
            for (int64_t bit = 0; bit < job.output_bits; ++bit)
                job.output[cycle * job.output_bits + bit] = value[job.output_nets[bit]];
        }
        for (int64_t cell = 0; cell < d.cells; ++cell) leak(cell, job.cycles * job.period);
    }

private:
    const Design& d;
    Job& job;
    std::vector<uint32_t> state;
    std::vector<uint8_t> value, waiting;  // of nets: value now, whether the other value is under way
    std::vector<int32_t> next, previous;
    std::vector<int64_t> slot;
    std::vector<double> energy;  // of the transition under way
    std::vector<int32_t> driver;
    std::vector<int64_t> since;
    std::vector<int32_t> head;
    std::vector<int32_t> clocks;
    int64_t under_way = 0;

    const CellType& type(int64_t cell) const { return d.type[d.type_of[cell]]; }

    void start_counting() {
        for (int64_t net = 0; net < d.nets; ++net) job.toggles[net] = 0;
        for (int64_t cell = 0; cell < d.cells; ++cell) {
            job.internal[cell] = job.clocks[cell] = job.leakage[cell] = 0;
            since[cell] = job.skip * job.period;
        }
    }

    // The state before the first edge: clock low, inputs of cycle 0, kept bits at their first values.
    void settle() {
        value[1] = 1;
        for (int64_t bit = 0; bit < job.input_bits; ++bit) value[job.input_nets[bit]] = job.input[bit];
        for (int64_t cell = 0; cell < d.cells; ++cell)
            if (type(cell).kind != LOGIC) state[cell] = uint32_t(type(cell).initial) << type(cell).inputs;
        bool again = true;
        for (int pass = 0; again && pass < 8; ++pass) {
            again = false;
            for (int64_t cell = 0; cell < d.cells; ++cell)
                if (type(cell).kind != LOGIC) again |= settle(cell);
            for (int64_t place = 0; place < d.cells && d.order[place] >= 0; ++place) again |= settle(d.order[place]);
        }
    }

    bool settle(int64_t cell) {
        const CellType& t = type(cell);
        uint32_t now = state[cell] >> t.inputs << t.inputs;
        for (int64_t pin = 0; pin < t.inputs; ++pin) now |= uint32_t(value[d.inputs[d.input_start[cell] + pin]]) << pin;
        if (t.kind == LATCH && t.open[now]) now = keep(t, now, t.next[now]);
        state[cell] = now;
        bool changed = false;
        for (int64_t output = 0; output < t.outputs; ++output) {
            const int32_t net = d.outputs[d.output_start[cell] + output];
            if (net < 0 || value[net] == t.output[output * t.states + now]) continue;
            value[net] ^= 1;
            changed = true;
        }
        return changed;
    }

    static uint32_t keep(const CellType& t, uint32_t now, uint8_t bit) {
        return (now & ~(1u << t.inputs)) | uint32_t(bit) << t.inputs;
    }

    void leak(int64_t cell, int64_t now) {
        job.leakage[cell] += type(cell).leakage[state[cell]] * double(now - since[cell]);
        since[cell] = now;
    }

    double change_energy(int64_t cell, const CellType& t, int64_t pin, uint32_t before) const {
        const uint8_t arc = t.input_energy[pin * t.states + before];
        return arc == NO_ARC ? 0 : d.input_energy[(d.input_energy_start[cell] + arc) * 2 + (before >> pin & 1)];
    }

    double output_energy(int64_t cell, const CellType& t, int64_t output, int64_t pin, uint8_t to) const {
        const uint8_t arc = t.output_energy[(output * t.inputs + pin) * t.states + state[cell]];
        return arc == NO_ARC ? 0 : d.output_energy[(d.output_energy_start[cell] + arc) * 2 + !to];
    }

    int64_t delay(int64_t cell, const CellType& t, int64_t output, int64_t pin, uint8_t to) const {
        const uint8_t arc = t.delay_arc[(output * t.inputs + pin) * t.states + state[cell]];
        return arc == NO_ARC ? 1 : d.delay[(d.delay_start[cell] + arc) * 2 + !to];
    }

    void start(int32_t net, int64_t at) {
        const int64_t place = at & (d.units - 1);
        waiting[net] = 1;
        slot[net] = place;
        next[net] = head[place];
        previous[net] = -1;
        if (head[place] >= 0) previous[head[place]] = net;
        head[place] = net;
        ++under_way;
    }

    void stop(int32_t net) {
        waiting[net] = 0;
        if (next[net] >= 0) previous[next[net]] = previous[net];
        (previous[net] >= 0 ? next[previous[net]] : head[slot[net]]) = next[net];
        --under_way;
    }

    // The outputs of a cell after a change of the pin; ``edge`` is the clock's last one, of which levels count.
    void follow(int64_t cell, const CellType& t, int64_t pin, int64_t now, int64_t edge) {
        for (int64_t output = 0; output < t.outputs; ++output) {
            const int32_t net = d.outputs[d.output_start[cell] + output];
            if (net < 0) continue;
            const uint8_t to = t.output[output * t.states + state[cell]];
            if (to == (value[net] ^ waiting[net])) continue;
            if (d.clocked[net]) {
                job.clocks[cell] += output_energy(cell, t, output, pin, to);
                clocks.push_back(net);
            } else if (waiting[net]) {
                stop(net);
            } else {
                energy[net] = output_energy(cell, t, output, pin, to);
                start(net, job.zero_delay ? std::max(now, edge + d.level[cell]) + 1
                                          : now + delay(cell, t, output, pin, to));
            }
        }
    }

    void change(int64_t cell, int64_t pin, int64_t now, int64_t edge, double* account) {
        const CellType& t = type(cell);
        const uint32_t before = state[cell];
        leak(cell, now);
        account[cell] += change_energy(cell, t, pin, before);
        uint32_t after = before ^ 1u << pin;
        if (t.kind == LATCH && t.open[after]) after = keep(t, after, t.next[after]);
        if (t.kind == FLIP_FLOP && pin == t.clock && (after >> pin & 1) == uint32_t(t.rising))
            after = keep(t, after, t.next[after]);
        state[cell] = after;
        follow(cell, t, pin, now, edge);
    }

    void toggle(int32_t net, int64_t now, int64_t edge, double* account) {
        value[net] ^= 1;
        ++job.toggles[net];
        for (int64_t place = d.sink_start[net]; place < d.sink_start[net + 1]; ++place)
            change(d.sink_cell[place], d.sink_pin[place], now, edge, account);
    }

    // The whole clock network changes at once; flip-flops take what was there before.
    void clock_edge(int64_t now) {
        clocks.push_back(int32_t(job.clock));
        while (!clocks.empty()) {
            const int32_t net = clocks.back();
            clocks.pop_back();
            toggle(net, now, now, job.clocks);
        }
    }

    void apply(int64_t cycle, int64_t edge) {
        const uint8_t* bits = job.input + cycle * job.input_bits;
        for (int64_t bit = 0; bit < job.input_bits; ++bit) {
            const int32_t net = job.input_nets[bit];
            if ((value[net] ^ waiting[net]) == bits[bit]) continue;
            if (waiting[net]) { stop(net); continue; }
            energy[net] = 0;
            start(net, edge + (job.zero_delay ? 1 : job.launch));
        }
    }

    void advance(int64_t from, int64_t to) {
        const int64_t edge = from;
        for (int64_t now = from; now < to; ++now) {
            if (!under_way) return;
            int32_t& first = head[now & (d.units - 1)];
            while (first >= 0) {
                const int32_t net = first;
                stop(net);
                if (driver[net] >= 0) job.internal[driver[net]] += energy[net];
                toggle(net, now, edge, job.internal);
            }
        }
    }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) void gates_run(const Design* design, Job* job) {
    Simulation(*design, *job).run();
}
