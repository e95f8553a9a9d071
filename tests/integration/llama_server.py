"""llama.cpp's own server with a model that knows nothing, for tests; runs where `gguf` and `xllamacpp` are installed.

    python llama_server.py MODEL.gguf PORT KEY CONTEXT

The model is made here: a Llama of one layer whose tokens are bytes and whose weights say only which byte it likes best,
whatever was said before. Left to itself it ends at once; held to a grammar it writes the first of its likings that is
allowed. CONTEXT: tokens that a question and its answer may have.
"""

from __future__ import annotations

import sys
import threading

import gguf
import numpy as np
import xllamacpp

WIDTH = 32
LIKED = '"}]:,stelw'  # so a string ends, an object ends, a flow is started
TEMPLATE = """{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def write_model(path: str) -> None:
    specials = {"<unk>": gguf.TokenType.UNKNOWN, "<s>": gguf.TokenType.CONTROL, "</s>": gguf.TokenType.CONTROL}
    tokens = [*specials, *(f"<0x{byte:02X}>" for byte in range(256))]
    likings = [0, 0, 100, *(_liking(chr(byte)) for byte in range(256))]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(16384)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_block_count(1)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([*specials.values(), *([gguf.TokenType.BYTE] * 256)])
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    constant, output = np.zeros((len(tokens), WIDTH), np.float32), np.zeros((len(tokens), WIDTH), np.float32)
    constant[:, 0], output[:, 0] = 1, likings
    tensors = {"token_embd": constant, "output": output}
    tensors |= {name: np.ones(WIDTH, np.float32) for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")}
    for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        tensors[f"blk.0.{part}"] = np.zeros((WIDTH, WIDTH), np.float32)
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _liking(character: str) -> int:
    if character in LIKED:
        return 90 - LIKED.index(character)
    return 0 if character.isspace() else 1


def main() -> None:
    path, port, key, context = sys.argv[1:]
    write_model(path)
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = int(port)
    params.api_keys = [key]
    params.n_ctx = int(context)
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)  # which ends with the last reference to it
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
