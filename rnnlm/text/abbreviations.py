"""Abbreviations of some languages, which a sentence splitter need not learn, and words that begin sentences.

They are in lower case, without their last full stop and without spaces: *z. B.* is ``z.b``. A vocabulary stores
those that its text was split with, so more can be added here at any time.
"""

GOES_ON_BEFORE = {
    # A sentence goes on after these, whatever follows: *Mr. Smith*, *e.g. The Beatles*.
    "anything": """
        mr mrs ms messrs dr prof e.g eg i.e ie vs cf viz approx incl esp
        mme mlle mlles p.ex c.-à-d av
        frl dipl z.b z.t d.h u.a o.ä i.d.r bzw vgl evtl ggf sog inkl zzgl
        sra srta dra avda p.ej excmo
        sig sig.ra dott dott.ssa avv ing p.es
        exmo exma v.ex
        т.е т.к т.н г-н г-жа ул просп акад напр
        κ κα π.χ δηλ βλ
        mgr inż ul tzn tzw m.in
        mevr dhr d.w.z bijv o.a m.b.t
        t.ex bl.a dvs f.eks
        doç yrd örn bkz
        डॉ श्री प्रो पं د أ م ص
    """,
    # A sentence goes on after these unless a usual beginning follows: *St. Mary's*, *on Main St. The shop ...*
    "name": "st mt ft rev gen col sgt capt lt cmdr gov sen rep pres mon",
    # These are abbreviations only before a number: *No. 5*, *Nr. 7*.
    "number": """
        no nos fig figs vol vols p pp art ch chap sec eq ed nr abb bd s núm n pág págs cap lok pos kl godz sid blz
        стр рис гл кв д σελ αρ str
    """,
    # A sentence goes on after these in lower case only: *etc. and so on*, but *etc. Call me.*
    "lower case": "etc usw usf u.s.w ecc т.д т.п др руб тыс млн млрд г гг enz osv itp itd vb κ.λπ κλπ",
}
"""Abbreviations by what a sentence goes on with after them."""

ABBREVIATIONS = """
    u.s u.k u.n e.u a.m p.m ph.d d.c b.a m.a jr sr inc ltd co corp dept est ave blvd rd univ assn bros
    ca hr env
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri
    str hauptstr tel v.chr n.chr ud uds vd vds ee.uu a.c см ср пл обл р-н np fx
"""
"""Abbreviations that end a sentence or not, as the next word shows: *the U.S. economy*, *the U.S. They*."""

SENTENCE_STARTERS = """
    the this that these those there then they he she it we you i if but and so or what when where why who how
    my our his her their its in on at for no not yes after before also however although because while maybe some
    le la les il elle ils elles ce cette ces nous vous je tu un une mais et en
    der die das er sie es wir ihr ich ein eine dann aber und im am dies diese dort hier
    el los las ellos ella yo y pero una esta este lo gli ma io noi non o os as ele eles ela eu mas
    он она они оно мы вы я это в на но и как что всё там тогда
"""
"""Words that begin a sentence after an abbreviation, where a capital letter alone says nothing."""

AFTER_ORDINALS = """
    januar jänner februar märz april mai juni juli august september oktober november dezember
    jahrhundert jahrhunderts weltkrieg weltkriegs klasse stock liga platz mal
"""
"""Words before which the full stop of an ordinal number does not end a sentence: *am 3. Oktober*."""
