"""What stands at the end of sound files and is no sound: ID3v1, APE, Lyrics3."""

from oea_cli.audio.segments import SoundFile, read_at

ID3V1_BYTES = 128
APE_FOOTER_BYTES = 32
MAX_TAGS = 8


def end_without_tags(file: SoundFile, end: int) -> int:
    """Where the content before `end` ends that is no tag."""
    for _ in range(MAX_TAGS):
        length = _tag_before(file, end)
        if not length:
            break
        end = max(0, end - length)
    return end


def _tag_before(file: SoundFile, end: int) -> int:
    """The length of the tag that ends at `end`; 0 for none."""
    if read_at(file, end - ID3V1_BYTES, 3) == b"TAG":
        return ID3V1_BYTES
    footer = read_at(file, end - APE_FOOTER_BYTES, APE_FOOTER_BYTES)
    if footer[:8] == b"APETAGEX":
        size = int.from_bytes(footer[12:16], "little")
        has_header = footer[23] & 0x80
        return size + (APE_FOOTER_BYTES if has_header else 0)
    if footer[-9:] == b"LYRICS200" and footer[-15:-9].isdigit():
        return int(footer[-15:-9]) + 15
    return 0


def tag_length(head: bytes) -> int:
    """The length of the ID3v2, ID3v1 or APE tag that begins with these (24) bytes; 0 for none."""
    if head[:3] == b"TAG":
        return ID3V1_BYTES
    if head[:8] == b"APETAGEX" and len(head) >= 24:
        size = int.from_bytes(head[12:16], "little")
        return size + (APE_FOOTER_BYTES if head[23] & 0x20 else 0)
    if head[:3] != b"ID3" or len(head) < 10 or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return size + (20 if head[5] & 0x10 else 10)
