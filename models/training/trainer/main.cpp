// Trains ruminate-nano from scratch, or further, on a CPU.
//
//   trainer data=FILE out=FILE minutes=10 [key=value ...]
//
// Weights are a flat f32 file (see parameters.h). The schedule is a share of the given minutes, or of steps=N for runs
// that must repeat exactly (with threads=1: sums of several threads differ in their last bits).
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <thread>

#include "optimizer.h"
#include "pass.h"

struct Options {
  std::string data, out;
  std::string init;        // weights to start from; empty: random
  std::string check;       // writes one batch, the weights and the gradient to this file, for nano/reference.py
  std::string precision = "auto";  // bf16, f32; auto: bf16 where the CPU has AMX
  double minutes = 1;
  long steps = 0;          // instead of minutes
  int threads = 2;
  long batch_tokens = 1536;
  int batches_per_step = 4;
  float matrix_rate = 0.02f, other_rate = 0.003f;  // of Muon, of Adam
  float decay = 0.4f;      // the last share of the run, in which the rate falls to zero
  float yarn = 1;          // factor of a YaRN variant
  long seed = 1;
};

static Options parse(int count, char **arguments) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; i++) {
    std::string argument = arguments[i];
    size_t equals = argument.find('=');
    if (equals == std::string::npos) throw std::runtime_error("Cannot read " + argument + ": expected key=value");
    given[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  Options o;
  auto take = [&](const char *key, auto &to) {
    auto found = given.find(key);
    if (found == given.end()) return;
    if constexpr (std::is_same_v<std::decay_t<decltype(to)>, std::string>) to = found->second;
    else to = std::decay_t<decltype(to)>(std::stod(found->second));
    given.erase(found);
  };
  take("data", o.data), take("out", o.out), take("init", o.init), take("check", o.check);
  take("precision", o.precision), take("minutes", o.minutes), take("steps", o.steps), take("threads", o.threads);
  take("batch_tokens", o.batch_tokens), take("batches_per_step", o.batches_per_step);
  take("matrix_rate", o.matrix_rate), take("other_rate", o.other_rate), take("decay", o.decay);
  take("yarn", o.yarn), take("seed", o.seed);
  if (!given.empty()) throw std::runtime_error("Unknown option " + given.begin()->first + "; see the top of main.cpp");
  if (o.data.empty() || (o.out.empty() && o.check.empty())) throw std::runtime_error("Missing data=FILE or out=FILE");
  if (o.precision != "auto" && o.precision != "bf16" && o.precision != "f32")
    throw std::runtime_error("Unknown precision " + o.precision + "; expected auto, bf16 or f32");
  return o;
}

static double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void save(const std::string &path, const std::vector<float> &weights) {
  const std::string unfinished = path + ".tmp";  // a stopped run leaves the last whole file
  if (File file = open_file(unfinished, "wb"); fwrite(weights.data(), 4, weights.size(), file.get()) != weights.size())
    throw std::runtime_error("Cannot write " + unfinished + ": the disk may be full");
  if (rename(unfinished.c_str(), path.c_str())) throw std::runtime_error("Cannot rename " + unfinished);
}

// Runs work(thread) on every thread, this one included.
static void in_parallel(int threads, const std::function<void(int)> &work) {
  std::vector<std::thread> others;
  for (int t = 1; t < threads; t++) others.emplace_back(work, t);
  work(0);
  for (std::thread &other : others) other.join();
}

// Warm-up over 60 steps, constant, then linear to 1 % over the last `decay` of the run.
static float rate_factor(long step, double progress, float decay) {
  double warm_up = std::min(1.0, (step + 1) / 60.0);
  return float(warm_up * (progress < 1 - decay ? 1 : std::max(0.01, (1 - progress) / decay)));
}

template <class Real>
void write_check(const std::string &path, const Batch &batch, Pass<Real> &pass, const std::vector<float> &weights) {
  float total = 0;
  for (float x : batch.weight) total += x;
  pass.run(batch, 1 / total);
  File file = open_file(path, "wb");
  const int32_t size[2] = {int32_t(batch.rows), int32_t(batch.length)};
  const float loss = float(pass.loss / pass.loss_weight);
  fwrite(size, 4, 2, file.get()), fwrite(&loss, 4, 1, file.get());
  fwrite(batch.input.data(), 2, batch.input.size(), file.get());
  fwrite(batch.target.data(), 2, batch.target.size(), file.get());
  fwrite(batch.weight.data(), 4, batch.weight.size(), file.get());
  fwrite(weights.data(), 4, weights.size(), file.get());
  fwrite(pass.gradient.data(), 4, pass.gradient.size(), file.get());
  printf("one batch of %ld x %ld, loss %.6f\n", batch.rows, batch.length, loss);
}

template <class Real>
void train(const Options &o) {
  const Layout layout;
  std::mt19937_64 random(o.seed);
  std::vector<float> weights = layout.initial_weights(random);
  if (!o.init.empty()) read_all(open_file(o.init, "rb").get(), o.init, weights.data(), layout.size);
  std::vector<Real> weights_real(layout.size);
  convert(weights.data(), weights_real.data(), layout.size);
  Batches batches(o.data, o.batch_tokens);
  const Rope rope(batches.longest, o.yarn);
  printf("%ld parameters, %ld samples, %ld tokens, %s, %d threads\n", layout.size, batches.samples, batches.tokens,
         sizeof(Real) == 2 ? "bf16" : "f32", o.threads);

  std::vector<std::unique_ptr<Pass<Real>>> passes;
  std::vector<Muon<Real>> muons(o.threads);
  for (int t = 0; t < o.threads; t++)
    passes.push_back(std::make_unique<Pass<Real>>(layout, rope, weights.data(), weights_real.data()));
  if (!o.check.empty()) return write_check(o.check, batches.next(random), *passes[0], weights);

  std::vector<float> gradient(layout.size), mean(layout.size, 0), square(layout.size, 0);
  const double start = seconds_now();
  double saved = start, average = -1;
  long step = 0, tokens = 0;
  for (;;) {
    const double progress = o.steps ? double(step) / o.steps : (seconds_now() - start) / 60 / o.minutes;
    if (progress >= 1) break;
    std::vector<Batch> current;
    double total_weight = 0;
    for (int i = 0; i < o.batches_per_step; i++) {
      current.push_back(batches.next(random));
      for (float x : current.back().weight) total_weight += x;
      tokens += std::ranges::count_if(current.back().target, [](int id) { return id > 0; });
    }

    // forward and backward: threads take batches, each sums its own gradient
    const float rate = rate_factor(step, progress, o.decay);
    std::atomic<int> taken{0};
    in_parallel(o.threads, [&](int t) {
      passes[t]->loss = passes[t]->loss_weight = 0;
      for (int i; (i = taken++) < o.batches_per_step;) passes[t]->run(current[i], float(1 / total_weight));
    });
    double loss = 0, loss_weight = 0;
    for (auto &pass : passes) loss += pass->loss, loss_weight += pass->loss_weight;
    average = average < 0 ? loss / loss_weight : 0.97 * average + 0.03 * loss / loss_weight;
    step++;

    // sum the threads' gradients, a slice of the parameters each
    in_parallel(o.threads, [&](int t) {
      for (long i = layout.size * t / o.threads; i < layout.size * (t + 1) / o.threads; i++) {
        float sum = 0;
        for (auto &pass : passes) sum += pass->gradient[i], pass->gradient[i] = 0;
        gradient[i] = sum;
      }
    });

    // update: Adam's gradients are clipped to norm 1, Muon normalises by itself
    double squares = 0;
    for (const Parameter &p : layout.parameters)
      if (!p.is_matrix)
        for (long i = p.offset; i < p.offset + p.size(); i++) squares += double(gradient[i]) * gradient[i];
    const float clip = float(std::min(1.0, 1 / (std::sqrt(squares) + 1e-9)));
    taken = 0;
    in_parallel(o.threads, [&](int t) {
      for (int i; (i = taken++) < int(layout.parameters.size());) {
        const Parameter &p = layout.parameters[i];
        float *w = &weights[p.offset], *g = &gradient[p.offset], *m = &mean[p.offset];
        if (p.is_matrix) muons[t].update(p, g, m, w, o.matrix_rate * rate);
        else adam_update(p.size(), g, clip, m, &square[p.offset], w, o.other_rate * rate, step);
        convert(w, &weights_real[p.offset], p.size());
      }
    });

    const double now = seconds_now();
    if (step <= 20 || step % 100 == 0) {
      printf("step %ld  mean loss %.4f  rate %.3f  tokens %ld  %.0f tokens/s  %.1f min\n", step, average, rate, tokens,
             tokens / (now - start), (now - start) / 60);
      fflush(stdout);
    }
    if (now - saved > 120) save(o.out, weights), saved = now;
  }
  save(o.out, weights);
  printf("done: %ld steps, %ld tokens, %.1f minutes, loss %.4f\n", step, tokens, (seconds_now() - start) / 60, average);
}

// With AMX bf16 is several times as fast as f32. With AVX512-BF16 alone it is slower (by half, measured with oneDNN 2.6
// and 3.7): the conversions cost more than the products gain.
static bool bf16_is_faster() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("amx-bf16");
#else
  return false;
#endif
}

int main(int count, char **arguments) {
  try {
    const Options options = parse(count, arguments);
    const char *omp = getenv("OMP_NUM_THREADS");
    if (options.threads > 1 && (!omp || std::string(omp) != "1"))
      fprintf(stderr, "set OMP_NUM_THREADS=1: the trainer's own threads compete with oneDNN's otherwise\n");
    const bool use_bf16 = options.precision == "auto" ? bf16_is_faster() : options.precision == "bf16";
    use_bf16 ? train<bf16>(options) : train<float>(options);
  } catch (const std::exception &error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
