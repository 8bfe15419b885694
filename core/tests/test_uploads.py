"""What a browser may send us in one file."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from core.uploads import LARGEST_UPLOAD


def test_a_file_of_ten_megabytes_is_kept_and_one_byte_more_is_dropped_while_it_comes_in(rf):
    for size, kept in ((LARGEST_UPLOAD, ["file"]), (LARGEST_UPLOAD + 1, [])):
        request = rf.post("/", {"file": SimpleUploadedFile("a.csv", b"x" * size), "kind": "clients"})
        assert list(request.FILES) == kept
        assert request.META.get("TOO_LARGE", []) == ([] if kept else ["file"])
        assert request.POST["kind"] == "clients"
        request.close()
