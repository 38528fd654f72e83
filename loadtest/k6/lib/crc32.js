// CRC-32 (ISO 3309) of an ArrayBuffer, as eight hexadecimal digits; remembered, as files are sent again and again.

const TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

const known = new Map();

export function crc32(buffer) {
  if (!known.has(buffer)) {
    let sum = 0xffffffff;
    for (const byte of new Uint8Array(buffer)) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
    known.set(buffer, ((sum ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0'));
  }
  return known.get(buffer);
}
